"""The meaning of subfolders: two classes, or something else such as splits."""

import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.split_names import are_splits, is_split

# Sidecars of desktops, network storage and archives: thumbnails, bins, forks.
ASIDE = {
    *("@eadir", "@recycle", "@recently-snapshot", "@sharebin", "@tmp", "@__thumb"),  # NAS
    *("#recycle", "#snapshot", "~snapshot", "$recycle.bin", "lost+found"),
    *("__macosx", "system volume information", "_vti_cnf", "__pycache__"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
}
ALSO_WORDS = {"train", "valid"}  # a vehicle, and the opposite of invalid: classes too, if alone
LOOKED_AT = 1_000  # folders in which the meant one is looked for


def is_aside(name: str) -> bool:
    """True if a file or folder is hidden, or a sidecar of others."""
    return name.startswith(".") or name.lower() in ASIDE


def linked(path: Path) -> InputError:
    """Return the error for a link to a folder."""
    return InputError(
        f"data.dir: {path}: is a link to the folder {path.resolve()}; DVC does not see what changes"
        " behind a link: put the folder itself there"
    )


def classes_of(folder: Path, wanted: Sequence[str]) -> tuple[str, str]:
    """Return the names of the two class folders.

    Args:
        folder: holds them.
        wanted: their names as data.classes has them, two or none; none takes the two subfolders
            that there are, sorted.

    Raises:
        InputError: there are not two, one is a link, they are not those wanted, or are splits or
            hold the same folders.
        OSError: a folder cannot be read.
    """
    found = _subfolders(folder)
    names = list(wanted) or found
    for name in names:
        if name not in found:
            raise InputError(
                f"data.classes: {name} is no subfolder of {folder}; found: {_listed(found)}"
            )
        if (folder / name).is_symlink():
            raise linked(folder / name)
    if not wanted and (problem := _problem(folder, found)):
        raise InputError(f"data.dir: {folder}: {problem}{_meant(folder)}")
    return names[0], names[1]


def _problem(folder: Path, names: list[str]) -> str | None:
    """Return the reason why the subfolders cannot be two classes, if there is one."""
    splits = [name for name in names if is_split(name)]
    if names and (splits == names or are_splits(names)):
        hint = f"; data.classes: [{', '.join(names)}] takes them as they are" * (len(names) == 2)
        return f"subfolders found: {_listed(names)}, which are splits, not classes{hint}"
    if len(names) != 2:
        return f"subfolders found: {_listed(names)}; two are needed, one per class"
    for name in splits:
        if name.lower() not in ALSO_WORDS or _subfolders(folder / name):
            return (
                f"its subfolder {name} is a split, not a class; if it is one, rename it or"
                " name both in data.classes"
            )
    if both := _in_both(*(folder / name for name in names)):
        return (
            f"its subfolders {' and '.join(names)} hold the same ones ({', '.join(both[:5])}), so"
            " they are no classes"
        )
    return None


def _in_both(one: Path, other: Path) -> list[str]:
    """Return the subfolders of both that are no splits; two or more make the parents no classes.

    A single one is no sign (`cat/images`, `dog/images`), but its own subfolders may be.
    """
    while True:
        first = {name.lower(): name for name in _subfolders(one)}
        second = {name.lower(): name for name in _subfolders(other)}
        both = sorted(name for name in first.keys() & second.keys() if not is_split(name))
        if not len(both) == len(first) == len(second) == 1:
            return [first[name] for name in both] if len(both) > 1 else []
        one, other = one / first[both[0]], other / second[both[0]]
        if one.is_symlink() or other.is_symlink():
            return []


def _meant(folder: Path) -> str:
    """Name the nearest folder below that holds two classes, training splits first."""
    waiting, looked_at = deque([folder]), 0
    while waiting and looked_at < LOOKED_AT:
        here = waiting.popleft()
        looked_at += 1
        with suppress(OSError):
            names = _subfolders(here)
            if here != folder and len(names) == 2 and not _problem(here, names):
                return f"; {here} was probably meant, with {' and '.join(names)}"
            train_first = sorted(names, key=lambda name: not name.lower().startswith("train"))
            waiting.extend(here / name for name in train_first if not (here / name).is_symlink())
    return ""


def _subfolders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, links included, sorted as bytes."""
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            # a link to itself is no folder; `entry.is_dir` raises
            if not is_aside(entry.name) and os.path.isdir(entry)  # noqa: PTH112
        ]
    return sorted(names, key=os.fsencode)


def _listed(names: list[str]) -> str:
    if not names:
        return "none"
    return f"{len(names)} ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})"
