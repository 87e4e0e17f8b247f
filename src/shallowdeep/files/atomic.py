"""Atomic files and folders: complete or absent, never half-written."""

import glob
import io
import json
import os
import platform
import re
import shutil
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path for a new version of `path`, and move it into place if the body succeeds.

    The new version is a hidden sibling until then; a single rename puts it into place. After an
    error the new version is removed and `path` is unchanged. An existing folder is replaced as a
    whole, in two steps. Leftovers of killed processes are removed, but no file that a running
    process of this machine writes.

    Args:
        path: file or folder to write; its parent is created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(
        _hidden(glob.escape(path.stem), "*", glob.escape(path.suffix))
    ):
        if not _is_being_written(leftover):
            _remove(leftover)
    process = f"{_machine()}-{os.getpid()}"
    new, old = (
        path.with_name(_hidden(path.stem, f"{process}-{uuid.uuid4().hex[:8]}", path.suffix))
        for _ in range(2)
    )
    try:
        yield new
        if path.is_dir():
            path.rename(old)  # a folder cannot be replaced in one step
        new.replace(path)
    finally:
        _remove(new)
        _remove(old)


@contextmanager
def replacing_all(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Give new versions of several files; move them only once all are written.

    A disk that fills up at the last file leaves the first as it was.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(replacing(path)) for path in paths]


def _hidden(stem: str, token: str, suffix: str) -> str:
    return f".{stem}.{token}.tmp{suffix}"


def _machine() -> str:
    """Short name of this machine or container."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _is_being_written(hidden: Path) -> bool:
    found = re.search(rf"\.{_machine()}-(\d+)-\w+\.tmp", hidden.name)
    if not found:
        return False
    try:
        os.kill(int(found[1]), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is another user's
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8 with Unix line ends."""
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8", newline="\n")


def write_torch(path: Path, content: Any) -> None:
    """Write a file for `torch.load`."""
    import torch

    file = io.BytesIO()  # on a full disk, torch raises no OSError
    torch.save(content, file)
    with replacing(path) as new:
        new.write_bytes(file.getvalue())


def write_safetensors(path: Path, arrays: "Mapping[str, NDArray[Any]]", about: Any) -> None:
    """Write arrays, with `about` as JSON in the metadata; the bytes are reproducible.

    The caller replaces the file: a network's files go together.
    """
    from safetensors.numpy import save

    path.parent.mkdir(parents=True, exist_ok=True)
    # A single key of metadata: with two, the bytes depend on the process.
    path.write_bytes(save(dict(arrays), {"shallowdeep": json.dumps(about)}))
