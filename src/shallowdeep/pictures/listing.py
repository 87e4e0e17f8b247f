"""The files of a folder with one subfolder per class."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from shallowdeep.files.errors import InputError
from shallowdeep.files.file_tree import Entry, Kind, walk
from shallowdeep.pictures import layout

# A spreadsheet takes a cell that begins so for a formula; the last four are their wide forms.
FORMULA = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"


class Found(NamedTuple):
    """A file that may hold a picture."""

    path: str  # relative to the folder, with forward slashes; no table takes it for a formula
    label: int  # index of its class


class Listed(NamedTuple):
    """The content of a folder of pictures."""

    classes: tuple[str, str]
    files: list[Found]  # sorted by class and path as bytes, the same on every file system
    skipped: list[str]  # files in hidden folders, and in sidecar folders of systems


def classes(folder: Path, wanted: Sequence[str] = ()) -> tuple[str, str]:
    """Return the names of the two class subfolders.

    Args:
        folder: data.dir.
        wanted: data.classes; none takes the two that there are, sorted.

    Raises:
        InputError: no such folder, not readable, not two subfolders, links among them, or two that
            are no classes; the message names the folder that was probably meant.
    """
    if not folder.is_dir():
        problem = "is a file, not a folder" if folder.is_file() else "no such folder"
        raise InputError(f"data.dir: {folder}: {problem}; it needs one subfolder per class")
    try:
        return layout.classes_of(folder, wanted)
    except OSError as error:
        raise _unreadable(folder, error) from None


def listed(folder: Path, names: tuple[str, str]) -> Listed:
    """List the files of two classes, also nested ones, without hidden ones and sidecars.

    Links to files are followed. Pipes and the like are listed too; decoding rejects them.

    Raises:
        InputError: a folder cannot be read, is a link, or lies too deep.
    """
    found, skipped = [], []
    for path, kind in _below(folder):
        top, *_ = parts = path.split("/")
        if any(map(layout.is_aside, parts[:-1])):
            if kind is Kind.FILE:
                skipped.append(path)
        elif top in names and not layout.is_aside(parts[-1]):
            if kind is Kind.LINKED_FOLDER:
                raise layout.linked(folder / path)
            found.append((names.index(top), path))
    found.sort(key=lambda one: (one[0], os.fsencode(one[1])))
    files = [Found(f"./{path}" if path[0] in FORMULA else path, label) for label, path in found]
    return Listed(names, files, sorted(skipped, key=os.fsencode))


def _below(folder: Path) -> Iterator[Entry]:
    try:
        yield from walk(folder)
    except OSError as error:
        raise _unreadable(folder, error) from None
    except InputError as error:
        raise InputError(f"data.dir: {error}") from None


def _unreadable(folder: Path, error: OSError) -> InputError:
    return InputError(f"data.dir: {error.filename or folder}: cannot be read: {error.strerror}")
