"""What `prepare` wrote is read whole, or one line says which command makes it anew."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from shallowdeep.files.errors import InputError

_T = TypeVar("_T")

# What reading a file that is not as it was written can raise.
_DAMAGE: tuple[type[Exception], ...] = (ArithmeticError, AttributeError, EOFError, LookupError)
_DAMAGE += (StopIteration, TypeError, ValueError, csv.Error)


def read_whole(path: Path, reader: Callable[[Path], _T]) -> _T:
    """Read a file with `reader`.

    Raises:
        InputError: it is missing, or not as `prepare` wrote it.
    """
    try:
        return reader(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro prepare` makes it") from None
    except _DAMAGE:
        raise altered(path) from None


def altered(path: Path) -> InputError:
    """The mistake of a file that is not as `prepare` wrote it."""
    return InputError(f"{path}: damaged or altered; `dvc repro --force prepare` makes it anew")
