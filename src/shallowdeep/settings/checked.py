"""Records that check their values, and the way from the content of a YAML file to one."""

import difflib
import math
import re
import reprlib
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from shallowdeep.files.errors import InputError, one_line

_T = TypeVar("_T")

_TEXT = "{value} is not a text with at least one character"
_MAPPING = "{value} is not a mapping of keys to values"
_PLAIN = {  # by pydantic's type of error; other errors keep pydantic's message
    "value_error": "{error}",
    "missing": "the key {key} is missing",
    "bool_type": "{value} is not true or false",
    "int_type": "{value} is not a whole number{hint}",
    "float_type": "{value} is not a number{hint}",
    "greater_than_equal": "{value} is below {ge:,.10g}",
    "greater_than": "{value} is not above {gt:,.10g}",
    "less_than_equal": "{value} is above {le:,.10g}",
    "less_than": "{value} is not below {lt:,.10g}",
    "too_long": "{actual_length} entries are more than {max_length}",
    "literal_error": "{value} is not one of {choices}",
    "string_type": _TEXT,
    "string_too_short": _TEXT,
    "string_pattern_mismatch": _TEXT,
    "tuple_type": "{value} is not a list",
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
}
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?", re.IGNORECASE)

_short = reprlib.Repr()
_short.maxlevel = 2  # with aliases, a few lines stand for millions of values


class CheckedRecord(BaseModel):
    """Frozen record without further keys; a number in quotes is no number."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, content: object) -> object:
        for key in content if isinstance(content, dict) else ():
            if key not in cls.model_fields:
                known = list(cls.model_fields)
                close = difflib.get_close_matches(f"{key!s:.80}", known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
                raise ValueError(f"unknown key {shown(key)}; {hint}")
        return content


def checked(kind: type[_T], content: object, name: str) -> _T:
    """Check the content of a file, as YAML has it, against a type.

    Raises:
        InputError: a key is unknown or missing, a value of the wrong type or out of range. The
            message begins with `name` and names key, value and what is allowed.
    """
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        raise InputError(f"{name}{_message(error)}") from None


def _message(error: ValidationError) -> str:
    """The first error in plain words, as `: epochs: 0 is below 1`, and the number of the others."""
    first, *others = error.errors(include_url=False)
    place, kind, value, context = first["loc"], first["type"], first["input"], first.get("ctx", {})
    if isinstance(value, float) and math.isnan(value):
        kind = "float_type"
    about = {
        "key": place[-1] if place else "",
        "value": shown(value),
        "hint": unquoted(value),
        "message": first["msg"],
        "choices": str(context.get("expected")).replace("'", "").replace(" or ", ", "),
    }
    if kind == "missing":
        place = place[:-1]
    elif place and place[-1] == "[key]":  # pydantic's mark of an error in a mapping's key
        place = place[:-2]
    name = "".join(f"[{key}]" if isinstance(key, int) else f": {key:.80}" for key in place)
    plain = _PLAIN.get(kind, "{value}: {message}").format_map(context | about)
    return one_line(f"{name}: {plain}{f' (and {len(others):,} more)' if others else ''}")


def unquoted(value: object) -> str:
    """Hint for a number in quotes."""
    is_number = isinstance(value, str) and _NUMBER.fullmatch(value)
    return f"; it is text, write {value:.40} without quotes" if is_number else ""


def shown(value: object) -> str:
    """Represent any value that YAML can hold by at most 100 characters."""
    try:
        return f"{_short.repr(value):.100}"
    except ValueError:  # Python writes no more than 4,300 digits
        return "a number of thousands of digits"
