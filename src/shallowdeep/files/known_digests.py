"""Checksums of a large file, computed once: by this process and for the stages after it.

A file counts as unchanged while its inode, size and times are the same; no program can set the last
of them, `ctime`. Silent corruption on a disk is detected only after the file is copied, or restored
by DVC: then it has another inode. Small files are read each time.
"""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from shallowdeep.files.atomic import write_text
from shallowdeep.files.checkout import made_from

LARGE = 2**24  # bytes; reading them takes longer than the clock of a file system needs to tick
BLOCK = 2**22  # bytes read at a time
KEPT = 64  # files
MEMORY = Path(".dvc/tmp/digests.json")  # of a checkout; git and DVC leave it alone


class _Digests(NamedTuple):
    """Checksums of a file."""

    md5: str  # DVC's
    sha256: str  # ours


_known: dict[str, _Digests] = {}


def known_md5(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """MD5 of a file; `advance` is called with each number of bytes that are done.

    Raises:
        OSError: it cannot be read.
    """
    return _digest(path, "md5", advance)


def known_sha256(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of a file; as `known_md5`."""
    return _digest(path, "sha256", advance)


def _digest(path: Path, kind: str, advance: Callable[[int], None]) -> str:
    about = path.stat()
    if about.st_size < LARGE:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, kind).hexdigest()
        advance(about.st_size)
        return digest
    name = " ".join(map(str, (about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)))
    memory = made_from(Path()) / MEMORY
    if name not in _known:
        with suppress(OSError, ValueError, TypeError, AttributeError):  # none, or damaged
            content = json.loads(memory.read_text(encoding="utf-8"))
            _known.update({str(one): _Digests(*map(str, found)) for one, found in content.items()})
    if name in _known:
        advance(about.st_size)
    else:
        _known[name] = _from_one_pass(path, advance)
        if memory.parent.is_dir():  # not outside of a project
            with suppress(OSError):  # a full disk costs the time of another reading
                write_text(memory, json.dumps(dict(list(_known.items())[-KEPT:])))
    return str(getattr(_known[name], kind))


def _from_one_pass(path: Path, advance: Callable[[int], None]) -> _Digests:
    both = hashlib.md5(), hashlib.sha256()
    with path.open("rb", buffering=0) as file, ThreadPoolExecutor(2) as pool:
        while block := file.read(BLOCK):
            for done in [pool.submit(one.update, block) for one in both]:
                done.result()
            advance(len(block))
    return _Digests(*(one.hexdigest() for one in both))
