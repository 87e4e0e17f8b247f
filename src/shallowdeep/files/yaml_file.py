"""YAML files, read as DVC reads them: as YAML 1.2, by ruamel.yaml.

There `010` is 10 and `1e-5` a number; in YAML 1.1, which PyYAML reads, they are 8 and a text. So
the stages compute with the values that DVC records in dvc.lock.
"""

import reprlib
import warnings
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.reader import ReaderError

from shallowdeep.files.errors import InputError, one_line

LONGEST = 200  # characters of a message of ruamel.yaml, which can repeat a whole file


class _Constructor(SafeConstructor):
    """ruamel.yaml's; it refuses a repeated key, and names the place of a value it cannot read."""

    def flatten_mapping(self, node: MappingNode) -> None:
        keys = [key for key, _ in node.value if isinstance(key, ScalarNode)]
        seen = set()
        for key in keys if node.merge is None else ():  # not where keys have been merged already
            if (key.tag, key.value) in seen:
                problem = f"the key {reprlib.repr(key.value)[1:-1]} stands twice"
                raise ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen.add((key.tag, key.value))
        super().flatten_mapping(node)

    def construct_non_recursive_object(self, node: Node, tag: str | None = None) -> Any:
        try:
            return super().construct_non_recursive_object(node, tag)
        except (YAMLError, RecursionError, MemoryError):
            raise
        except Exception:  # of many kinds, for `-_`, 2026-13-45 or `!!bool maybe`
            kind = str(node.tag).rpartition(":")[2]
            problem = f"{reprlib.repr(node.value)} cannot be read as {kind}"
            raise ConstructorError(problem=problem, problem_mark=node.start_mark) from None


def parse(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        InputError: no such file, not YAML, or a repeated key in a mapping.
    """
    try:
        return parse_bytes(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; commands run in the project's folder") from None


def parse_bytes(content: bytes, name: str) -> Any:
    """Read the content of a YAML file.

    Raises:
        InputError: not YAML, or a repeated key in a mapping; the message begins with `name`.
    """
    yaml = YAML(typ="safe")
    yaml.Constructor = _Constructor
    text = ""
    try:
        text = content.decode("utf-8")
        with warnings.catch_warnings(action="ignore"):  # of style, a paragraph each
            return yaml.load(text)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        problem = f"{_end(before)}: this is not UTF-8; save the file as UTF-8"
    except ReaderError as error:
        character = text[error.position]
        problem = f"{_end(text[: error.position])}: the character {character!r} is not allowed"
    except MarkedYAMLError as error:
        problem, mark = str(error.problem), error.problem_mark
        if problem.startswith("but "):  # as in: expected a single document, but found another
            problem = f"{error.context}, {problem}"
        if mark:
            problem = f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
    except RecursionError:
        problem = "lists or mappings are nested too deeply"
    except MemoryError:
        raise
    except Exception as error:  # damaged files find ways that ruamel.yaml's authors did not expect
        problem = f"is not YAML: {' '.join(str(error).split()) or type(error).__name__}"
    raise InputError(f"{name}: {one_line(problem)[:LONGEST]}")


def _end(text: str) -> str:
    """Line and column after a text."""
    lines = text.removeprefix("\ufeff").split("\n")
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"
