"""Checksums of a large file are made once: by the process, and by the stages after it.

A file is the same as long as its inode, size and times are. The last of them, `ctime`, no program
can set: writing, renaming and linking do. What a disk loses by itself is noticed once a file has
been copied, or put back by DVC, for then it is another inode. Small files are read each time.
"""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from shallowdeep.files.atomic import write_text
from shallowdeep.files.checkout import made_from

LARGE = 2**24  # bytes; reading them takes longer than the clock of a file system needs to tick
BLOCK = 2**22  # bytes read at a time
KEPT = 64  # files
MEMORY = Path(".dvc/tmp/digests.json")  # of a checkout; git and DVC leave it alone


class Digests(NamedTuple):
    """Of a file's bytes."""

    md5: str  # DVC's
    sha256: str  # ours


_known: dict[str, Digests] = {}


def known_md5(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """MD5 of a file; `advance` is called with each number of bytes that need no more reading.

    Raises:
        OSError: it cannot be read.
    """
    return _digest(path, "md5", advance)


def known_sha256(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of a file; as `known_md5`."""
    return _digest(path, "sha256", advance)


def _digest(path: Path, kind: Literal["md5", "sha256"], advance: Callable[[int], None]) -> str:
    size = path.stat().st_size
    if size >= LARGE:
        known = _digests(path, advance)
        return known.md5 if kind == "md5" else known.sha256
    with path.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    advance(size)
    return found


def _digests(path: Path, advance: Callable[[int], None]) -> Digests:
    about = path.stat()
    name = " ".join(map(str, (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)))
    if name not in _known:
        _known.update(_remembered())
    if name in _known:
        advance(about.st_size)
    else:
        _known[name] = _from_one_pass(path, advance)
        _remember()
    return _known[name]


def _from_one_pass(path: Path, advance: Callable[[int], None]) -> Digests:
    both = hashlib.md5(), hashlib.sha256()
    with path.open("rb", buffering=0) as file, ThreadPoolExecutor(2) as pool:
        while block := file.read(BLOCK):
            for done in [pool.submit(one.update, block) for one in both]:
                done.result()
            advance(len(block))
    return Digests(*(one.hexdigest() for one in both))


def _remembered() -> dict[str, Digests]:
    """What earlier processes of this checkout have found out; nothing where that is damaged."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        content = json.loads((made_from(Path()) / MEMORY).read_text(encoding="utf-8"))
        return {str(name): Digests(*map(str, found)) for name, found in content.items()}
    return {}


def _remember() -> None:
    path = made_from(Path()) / MEMORY
    if path.parent.is_dir():  # not outside of a project
        with suppress(OSError):  # a full disk costs the time of another reading
            write_text(path, json.dumps(dict(list(_known.items())[-KEPT:])))
