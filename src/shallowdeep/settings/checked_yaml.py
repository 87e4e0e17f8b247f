"""A YAML file of settings: every value checked, every mistake named with what is allowed."""

import difflib
import math
import re
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml

from shallowdeep.files.errors import InputError

_T = TypeVar("_T")

Check = Callable[[str, object], _T]  # (name for messages, value) -> the value; raises InputError


class Section:
    """One mapping of the file; remembers which of its keys were asked for."""

    def __init__(self, name: str, value: object) -> None:
        if not isinstance(value, dict):
            raise InputError(f"{name}: {shown(value)} is not a mapping of keys to values")
        self.name = name
        self._values: dict[object, object] = value
        self._asked: list[str] = []

    def names(self) -> list[object]:
        """All keys of the mapping, whatever their type."""
        return list(self._values)

    def value(self, key: str) -> object:
        """What stands at `key`, unchecked."""
        self._asked.append(key)
        if key not in self._values:
            raise InputError(f"{self.name}: the key {key} is missing")
        return self._values[key]

    def section(self, key: str) -> "Section":
        """The mapping at `key`."""
        return Section(f"{self.name}: {key}", self.value(key))

    def read(self, key: str, check: Check[_T]) -> _T:
        """The value at `key`, checked."""
        return check(f"{self.name}: {key}", self.value(key))

    def finish(self) -> None:
        """Refuse keys that nobody asked for, so that a misspelt one is not passed over."""
        for key in self._values:
            if key not in self._asked:
                close = difflib.get_close_matches(str(key), self._asked, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(self._asked)}"
                raise InputError(f"{self.name}: unknown key {shown(key)}; {hint}")


def integer(low: int, high: int) -> Check[int]:
    """A whole number from `low` to `high`."""

    def check(name: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise InputError(f"{name}: {shown(value)} is not a whole number{unquoted(value)}")
        _within(name, value, low, high)
        return value

    return check


def number(low: float, high: float, *, low_allowed: bool) -> Check[float]:
    """A finite number from `low`, which is itself allowed or not, to `high`."""

    def check(name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"{name}: {shown(value)} is not a number{unquoted(value)}")
        _within(name, value, low, high)
        if math.isnan(value):
            raise InputError(f"{name}: {value} is not a number")
        if value == low and not low_allowed:
            raise InputError(f"{name}: {value} is not above {low:g}")
        return float(value)

    return check


def _within(name: str, value: float, low: float, high: float) -> None:
    if value < low:
        raise InputError(f"{name}: {shown(value)} is below {low:,}")
    if value > high:
        raise InputError(f"{name}: {shown(value)} is above {high:,}")


def one_of(*options: str) -> Check[str]:
    """One of some words."""

    def check(name: str, value: object) -> str:
        if not isinstance(value, str) or value not in options:
            raise InputError(f"{name}: {shown(value)} is not one of {', '.join(options)}")
        return value

    return check


def text(name: str, value: object) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise InputError(f"{name}: {shown(value)} is not a text with at least one character")
    return value


def nothing_or(check: Check[_T]) -> Check[_T | None]:
    """`null`, or what `check` allows."""
    return lambda name, value: None if value is None else check(name, value)


def list_of(check: Check[_T], *, longest: int) -> Check[list[_T]]:
    """A list of at most `longest` entries, each allowed by `check`."""

    def check_all(name: str, value: object) -> list[_T]:
        if not isinstance(value, list):
            raise InputError(f"{name}: {shown(value)} is not a list")
        if len(value) > longest:
            raise InputError(f"{name}: {len(value)} entries are more than {longest}")
        return [check(f"{name}[{i}]", entry) for i, entry in enumerate(value)]

    return check_all


def unquoted(value: object) -> str:
    """Say how to write a number that YAML 1.1 reads as text, 1e-5 before all."""
    if not isinstance(value, str):
        return ""
    try:
        meant = float(value)
    except ValueError:
        return ""
    if re.fullmatch(r"[-+]?\d+[eE].*", value.strip()):
        mantissa, exponent = re.split("[eE]", value.strip())
        sign = "" if exponent.startswith(("+", "-")) else "+"
        written = f"{mantissa}.0e{sign}{exponent}"
        return (
            f"; YAML reads it as text, write {written} into the file (-S writes it as text again)"
        )
    return f"; it is text, write {meant:g} without quotes" if math.isfinite(meant) else ""


def shown(value: object) -> str:
    """A short, bounded form of any value that YAML can hold."""
    return reprlib.repr(value)


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key that stands twice; PyYAML would keep the last in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [(child.tag, str(child.value)) for child, _ in node.value]
        for i, (child, _) in enumerate(node.value):
            if keys[i] in keys[:i]:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {child.value} stands twice", problem_mark=child.start_mark
                )
        return cast(dict[Any, Any], super().construct_mapping(node, deep))


def parse(path: Path) -> object:
    """Read a YAML file.

    Raises:
        InputError: no such file, not YAML, or a key that stands twice in one mapping.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        return yaml.load(text, _Loader)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; commands run in the project's folder") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f": line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{path}{where}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: {' '.join(str(error).split())}") from None
