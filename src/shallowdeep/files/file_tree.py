"""Walk through the files below a folder, for decoding, hashes and messages."""

import os
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from shallowdeep.files.errors import InputError

DEEPEST = 100  # levels of folders; Python and DVC walk some of them by recursion


class Kind(Enum):
    """Kind of an entry, after links are followed."""

    FILE = "an ordinary file, or a link to one"
    LINKED_FOLDER = "a link to a folder"
    OTHER = "a pipe, a device, a socket, or a link that leads nowhere"


class Entry(NamedTuple):
    """Entry below a folder, other than a folder."""

    path: str  # relative to the folder, with forward slashes
    kind: Kind


def walk(folder: Path) -> Iterator[Entry]:
    """Yield all entries below a folder, hidden ones too, in no order.

    Links to folders are not followed: they can form cycles, and DVC does not see changes in them.

    Raises:
        OSError: a folder cannot be read.
        InputError: folders are nested deeper than `DEEPEST` levels.
    """
    waiting = [""]
    while waiting:
        top = waiting.pop()
        if top.count("/") > DEEPEST:
            raise InputError(
                f"{folder}/{top[:60]}...: more than {DEEPEST} levels of folders; lay the files out"
                " flatter"
            )
        with os.scandir(folder / top) as entries:
            for entry in entries:
                path = f"{top}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{path}/")
                    continue
                # A link in a circle is an error to `entry`; other kinds it knows without a call.
                target = Path(entry.path) if entry.is_symlink() else entry
                linked = entry.is_symlink() and target.is_dir()
                kind = Kind.FILE if target.is_file() else Kind.OTHER
                yield Entry(path, Kind.LINKED_FOLDER if linked else kind)
