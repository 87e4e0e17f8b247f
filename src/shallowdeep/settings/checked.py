"""Records that check themselves, and how one is made of what a YAML file holds."""

import math
from typing import TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from shallowdeep.files.errors import InputError
from shallowdeep.settings.mistakes import in_one_line

_T = TypeVar("_T")


class Record(BaseModel):
    """Holds what its fields allow and nothing else, and does not change."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


def _in_floats(value: object) -> object:
    """A whole number that no float can hold is above every limit, or below."""
    if isinstance(value, int) and abs(value).bit_length() > 1_000:
        return math.inf if value > 0 else -math.inf
    return value


IN_FLOATS = BeforeValidator(_in_floats)


def checked(kind: type[_T], content: object, name: str) -> _T:
    """Make a record of what a file holds.

    Args:
        kind: what it has to become.
        content: as YAML has it.
        name: of the file, for messages.

    Raises:
        InputError: a key is unknown or missing, a value of the wrong type or out of range. The
            message names key, value and what is allowed.
    """
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        raise InputError(f"{name}{in_one_line(error, content, kind)}") from None
