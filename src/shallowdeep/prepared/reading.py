"""Reading of files that `prepare` wrote."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from shallowdeep.files.errors import InputError

_T = TypeVar("_T")


def read_or_explain(path: Path, reader: Callable[[Path], _T]) -> _T:
    """Read a file with `reader`.

    Raises:
        InputError: it is missing or cannot be read, with the command that makes it anew.
    """
    try:
        return reader(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro prepare` makes it") from None
    except (
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        TypeError,
        ValueError,
        csv.Error,
    ):
        raise InputError(
            f"{path}: damaged or altered; `dvc repro --force prepare` makes it anew"
        ) from None
