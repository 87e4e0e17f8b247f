"""A YAML file, read as DVC reads it.

That is YAML 1.2 by ruamel.yaml, where `010` is 10 and `1e-5` a number; in YAML 1.1, which PyYAML
reads, they are 8 and a text. What DVC records in dvc.lock is then what the stages compute with.
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

LONGEST = 200  # characters of what ruamel.yaml says, which can repeat a whole file


class _WrongText(Exception):
    """What is wrong with a text, in one line."""


class _Constructor(SafeConstructor):
    """DVC's; it also takes no key twice, and says where a value stands that it cannot read."""

    def construct_document(self, node: Node) -> Any:
        _refuse_twins(node)
        return super().construct_document(node)

    def construct_non_recursive_object(self, node: Node, tag: str | None = None) -> Any:
        try:
            return super().construct_non_recursive_object(node, tag)
        except (YAMLError, RecursionError, MemoryError):
            raise
        except Exception:  # it stumbles in many ways over `-_`, 2026-13-45 or `!!bool maybe`
            kind = str(node.tag).rpartition(":")[2]
            said = f"{reprlib.repr(node.value)} cannot be read as {kind}"
            raise ConstructorError(problem=said, problem_mark=node.start_mark) from None


def parse(path: Path) -> Any:
    """Read a YAML file.

    Raises:
        InputError: no such file, not YAML, or a key that stands twice in one mapping.
    """
    try:
        return parse_bytes(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; commands run in the project's folder") from None


def parse_bytes(content: bytes, name: str) -> Any:
    """Read what a YAML file holds.

    Args:
        content: of the file.
        name: of the file, for messages.

    Raises:
        InputError: not YAML, or a key that stands twice in one mapping.
    """
    try:
        return _parsed(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        where = _end(error.object[: error.start].decode("utf-8"))
        raise InputError(f"{name}: {where}: this is not UTF-8; save the file as UTF-8") from None
    except _WrongText as error:
        raise InputError(f"{name}: {error}") from None


def _parsed(text: str) -> Any:
    yaml = YAML(typ="safe")
    yaml.Constructor = _Constructor
    try:
        with warnings.catch_warnings(action="ignore"):  # of style, a paragraph each
            return yaml.load(text)
    except ReaderError as error:
        said = f"the character {text[error.position]!r} is not allowed; save the file as UTF-8"
        raise _WrongText(f"{_end(text[: error.position])}: {said}") from None
    except MarkedYAMLError as error:
        raise _WrongText(_with_place(error)) from None
    except RecursionError:
        raise _WrongText("lists or mappings are nested too deeply") from None
    except MemoryError:
        raise
    except Exception as error:  # damaged files find ways that its authors did not think of
        said = one_line(" ".join(str(error).split()))[:LONGEST]
        raise _WrongText(f"is not YAML: {said or type(error).__name__}") from None


def _refuse_twins(top: Node) -> None:
    """Refuse a key that stands twice: beside a merge (`<<`) ruamel.yaml would take the last."""
    waiting, seen = [top], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ScalarNode) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, MappingNode):
            _refuse_twin_keys([key for key, _ in node.value if isinstance(key, ScalarNode)])
            waiting += [child for pair in node.value for child in pair]
        else:
            waiting += node.value


def _refuse_twin_keys(keys: list[Node]) -> None:
    seen = set()
    for key in keys:
        if (str(key.tag), key.value) in seen:
            said = f"the key {reprlib.repr(key.value)[1:-1]} stands twice"
            raise ConstructorError(problem=said, problem_mark=key.start_mark)
        seen.add((str(key.tag), key.value))


def _with_place(error: MarkedYAMLError) -> str:
    said, mark = str(error.problem), error.problem_mark
    if said.startswith("but "):  # as in: expected a single document, but found another
        said = f"{error.context}, {said}"
    said = one_line(said)[:LONGEST]
    return f"line {mark.line + 1}, column {mark.column + 1}: {said}" if mark else said


def _end(text: str) -> str:
    """The line and the column that come after a text."""
    lines = text.removeprefix("\ufeff").split("\n")
    return f"line {len(lines)}, column {len(lines[-1]) + 1}"
