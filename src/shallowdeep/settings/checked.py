"""Records that check their values, and the way from the content of a YAML file to one."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from shallowdeep.files.errors import InputError
from shallowdeep.settings.mistakes import in_one_line, unknown

_T = TypeVar("_T")


class CheckedRecord(BaseModel):
    """Frozen record without further keys; a number in quotes is no number."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, content: object) -> object:
        for key in content if isinstance(content, dict) else ():
            if key not in cls.model_fields:
                raise ValueError(unknown(key, list(cls.model_fields)))
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
        raise InputError(f"{name}{in_one_line(error)}") from None
