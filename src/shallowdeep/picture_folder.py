"""A folder with one subfolder per class: which files there are."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from shallowdeep.errors import InputError


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
        problem = "is a file, not a folder" if folder.exists() else "no such folder"
        raise InputError(f"data.dir: {folder}: {problem}; it needs one subfolder per class")
    names = sorted((entry.name for entry in _entries(folder) if entry.is_dir()), key=os.fsencode)
    if len(names) != 2:
        found = f"{len(names)} ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})"
        raise InputError(
            f"data.dir: {folder}: subfolders found: {found if names else 'none'}; two are needed,"
            " one per class"
        )
    return names[0], names[1]


def find(folder: Path, names: tuple[str, str]) -> list[Found]:
    """All files below the class folders, nested ones too, hidden ones not.

    Returns:
        Sorted by class and path, the same on every file system.
    """
    found = []
    for label, name in enumerate(names):
        paths = sorted(_walk(folder / name, name, set()), key=os.fsencode)
        found += [Found(path, label) for path in paths]
    return found


def _walk(folder: Path, name: str, above: set[str]) -> Iterator[str]:
    """Files below a folder; a link to one of the folders above it would lead round in a circle."""
    real = os.path.realpath(folder)
    if real in above:
        return
    for entry in _entries(folder):
        path = f"{name}/{entry.name}"
        if entry.is_dir():
            yield from _walk(folder / entry.name, path, above | {real})
        elif entry.is_file() or entry.is_symlink():
            yield path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise InputError(f"data.dir: {folder}: cannot be read: {error.strerror}") from None
