"""What pydantic finds wrong with a file, in one line: the first mistake, and how many more."""

import difflib
import math
import re
import reprlib
from collections.abc import Sequence
from datetime import date
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shallowdeep.files.errors import one_line

_TEXT = "{value} is not a text with at least one character"
_MAPPING = "{value} is not a mapping of keys to values"
_SAID = {  # by pydantic's name of a mistake; a validator of ours says it all itself
    "value_error": "{error}",
    "bool_type": "{value} is not true or false",
    "int_type": "{value} is not a whole number{unquoted}",
    "float_type": "{value} is not a number{unquoted}",
    "greater_than_equal": "{value} is below {ge}",
    "greater_than": "{value} is not above {gt}",
    "less_than_equal": "{value} is above {le}",
    "too_long": "{length} entries are more than {max_length}",
    "literal_error": "{value} is not one of {expected}",
    "string_type": _TEXT,
    "string_too_short": _TEXT,
    "string_pattern_mismatch": _TEXT,
    "string_unicode": "{value} has half a character in it",
    "tuple_type": "{value} is not a list",
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
}
_NAME = re.compile(r"[\w.-]{1,80}")  # of a key that can be told as it is

_short = reprlib.Repr()
_short.maxlevel = 2  # aliases make a few lines a tree of millions


def in_one_line(error: ValidationError, content: object, kind: Any) -> str:
    """Say what is wrong, as it follows the file's name: `: epochs: 0 is below 1`.

    Args:
        error: pydantic's.
        content: what was given, for the order of the keys.
        kind: what it should have become, for the keys that there are.
    """
    found = sorted(error.errors(include_url=False), key=lambda one: _order(one["loc"], content))
    more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
    return one_line(f"{_told(found[0], content, kind)}{more}")


def _order(place: Sequence[int | str], content: object) -> list[int]:
    """Where a place stands in the file; what is missing comes after what is there."""
    order = []
    for key in place:
        if key == "[key]":  # pydantic's mark of a mistake in the key before
            order.append(-1)
        elif isinstance(content, dict):
            keys = [str(one) for one in content]
            order.append(keys.index(str(key)) if str(key) in keys else len(keys))
            content = content.get(key)
        elif isinstance(content, list) and isinstance(key, int):
            order.append(key)
            content = content[key]
        else:
            order.append(0)
    return order


def _told(one: ErrorDetails, content: object, kind: Any) -> str:
    place = one["loc"]
    if one["type"] == "missing":
        return f"{_named(place[:-1], content)}: the key {place[-1]} is missing"
    if one["type"] == "extra_forbidden":
        return f"{_named(place[:-1], content)}: {_unknown(place[-1], kind, place[:-1])}"
    if one["type"] == "invalid_key":
        return f"{_named(place[:-1], content)}: {_unknown(one['input'], kind, place[:-1])}"
    above = place[:-2] if place and place[-1] == "[key]" else place
    return f"{_named(above, content)}: {_words(one)}"


def _named(place: Sequence[int | str], content: object) -> str:
    """A place as messages name it: `: models: deep: hidden[1]`."""
    name = ""
    for key in place:
        if isinstance(content, list) and isinstance(key, int):
            name, content = f"{name}[{key}]", content[key]
        else:
            name += f": {key if _NAME.fullmatch(str(key)) else shown(key)}"
            content = content.get(key) if isinstance(content, dict) else None
    return name


def _unknown(key: object, kind: Any, section: Sequence[int | str]) -> str:
    for name in section:
        fields = getattr(kind, "model_fields", {})
        kind = fields[name].annotation if name in fields else get_args(kind)[-1]
    known = list(kind.model_fields)
    close = difflib.get_close_matches(str(key)[:80], known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    return f"unknown key {shown(key)}; {hint}"


def _words(one: ErrorDetails) -> str:
    """What is wrong with a value."""
    value, kind = one["input"], one["type"]
    if isinstance(value, float) and math.isnan(value):
        kind = "float_type"
    limits = {name: _limit(limit) for name, limit in one.get("ctx", {}).items()}
    length = len(value) if isinstance(value, list | tuple) else 0
    return _SAID.get(kind, f"{{value}}: {one['msg']}").format_map(
        limits | {"value": shown(value), "unquoted": unquoted(value), "length": length}
    )


def _limit(limit: Any) -> str:
    """What is allowed, as people write it."""
    if isinstance(limit, str):  # 'auto', 'primal' or 'dual'
        return ", ".join(re.findall("'(.*?)'", limit))
    if isinstance(limit, int | float):
        return f"{int(limit):,}" if limit == int(limit) else f"{limit:g}"
    return str(limit)


def unquoted(value: object) -> str:
    """Say how to write a number that is a text."""
    try:
        meant = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        return ""
    if not math.isfinite(meant):
        return ""
    whole = meant.is_integer() and abs(meant) < 1e15
    return f"; it is text, write {f'{meant:.0f}' if whole else repr(meant)} without quotes"


def shown(value: object) -> str:
    """A short, bounded form of any value that YAML can hold."""
    try:
        text = str(value) if isinstance(value, date) else _short.repr(value)
    except ValueError:  # Python writes no more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 100 else f"{text[:97]}..."
