"""A folder with one subfolder per class: which files there are."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from shallowdeep.files.errors import InputError


class Found(NamedTuple):
    """A file that may hold a picture."""

    path: str  # relative to the folder, with forward slashes
    label: int  # index of its class


def classes(folder: Path) -> tuple[str, str]:
    """Names of the two class subfolders, sorted.

    Raises:
        InputError: no such folder, not readable, or not two subfolders.
    """
    if not folder.is_dir():
        problem = "is a file, not a folder" if folder.is_file() else "no such folder"
        raise InputError(f"data.dir: {folder}: {problem}; it needs one subfolder per class")
    names = sorted((entry.name for entry in _entries(folder) if _is_dir(entry)), key=os.fsencode)
    if len(names) != 2:
        listed = f"{len(names)} ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})"
        raise InputError(
            f"data.dir: {folder}: subfolders found: {listed if names else 'none'};"
            " two are needed, one per class"
        )
    return names[0], names[1]


def find(folder: Path, names: tuple[str, str]) -> list[Found]:
    """All files below the class folders, nested ones too, hidden ones not.

    Links are followed. What is no ordinary file is found too, for whoever reads it to say so.

    Returns:
        Sorted by class and path as bytes, the same on every file system.

    Raises:
        InputError: a folder cannot be read.
    """
    found = []
    for label, name in enumerate(names):
        found += [Found(path, label) for path in sorted(_walk(folder, name), key=os.fsencode)]
    return found


def _walk(folder: Path, name: str) -> Iterator[str]:
    """Files below a class folder; a link back to a folder that it lies in is not followed."""
    waiting = [(name, frozenset({_identity(folder)}))]
    while waiting:
        path, above = waiting.pop()
        here = _identity(folder / path)
        if here in above:
            continue
        for entry in _entries(folder / path):
            if _is_dir(entry):
                waiting.append((f"{path}/{entry.name}", above | {here}))
            else:
                yield f"{path}/{entry.name}"


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder, without hidden things."""
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise InputError(f"data.dir: {folder}: cannot be read: {error.strerror}") from None


def _is_dir(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder or a link to one; a link to itself is not, where others raise."""
    return os.path.isdir(entry)  # noqa: PTH112
