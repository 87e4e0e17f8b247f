"""Reading of files that another stage wrote."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError

from shallowdeep.files.errors import InputError

_T = TypeVar("_T")
DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    SafetensorError,
    csv.Error,
)


def read_or_explain(path: Path, reader: Callable[[Path], _T], *, stage: str = "") -> _T:
    """Read a file with `reader`.

    Args:
        path: of the file.
        reader: raises an error if the content is not as it should be.
        stage: that makes it; all of them if not given.

    Raises:
        InputError: it is missing or cannot be read, with the command that makes it anew.
    """
    try:
        return reader(path)
    except FileNotFoundError:
        command = f"dvc repro {stage}".rstrip()
        raise InputError(f"{path}: no such file; `{command}` makes it") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except DAMAGED:
        command = f"dvc repro --force {stage}".rstrip()
        raise InputError(
            f"{path}: damaged, altered or of other parameters; `{command}` makes it anew"
        ) from None
