"""Files and folders that are complete or absent, never half-written."""

import glob
import io
import json
import os
import platform
import re
import shutil
import uuid
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path for a new version of `path`; move it into place once the body has ended well.

    The new version is a hidden sibling until then, and one step makes it the real one, so that a
    process killed after it leaves nothing. After an error nothing is left of the new version and
    `path` is as it was. A folder that stands at `path` is replaced whole, in two steps. What a
    killed process left of an earlier attempt is removed, but not what a process that lives on
    this machine is writing.

    Args:
        path: file or folder to write; its parent is created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(
        _hidden(glob.escape(path.stem), "*", glob.escape(path.suffix))
    ):
        if not _is_being_written(leftover):
            _remove(leftover)
    new = path.with_name(_hidden(path.stem, _token(), path.suffix))
    old = path.with_name(_hidden(path.stem, _token(), path.suffix))
    try:
        yield new
        if path.is_dir():
            path.rename(old)  # a folder cannot be replaced in one step
        new.replace(path)
    finally:
        _remove(new)
        _remove(old)


def _hidden(stem: str, token: str, suffix: str) -> str:
    return f".{stem}.{token}.tmp{suffix}"


def _token() -> str:
    """Says which process of which machine, or container, is writing."""
    return f"{_machine()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def _machine() -> str:
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
    """Write `text` to `path` as UTF-8 with Unix line ends, complete or not at all."""
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8", newline="\n")


def write_torch(path: Path, content: Any) -> None:
    """Write to `path` what `torch.load` reads, complete or not at all."""
    import torch

    file = io.BytesIO()  # on a full disk, torch raises no OSError
    torch.save(content, file)
    with replacing(path) as new:
        new.write_bytes(file.getvalue())


def write_safetensors(path: Path, arrays: "Mapping[str, NDArray[Any]]", about: Any) -> None:
    """Write arrays and, as JSON in the metadata under `shallowdeep`, what is known of them.

    The same bytes every time, complete or not at all.
    """
    from safetensors.numpy import save

    # One key of metadata: the bytes of a file with two depend on the process.
    packed = save(dict(arrays), {"shallowdeep": json.dumps(about)})
    with replacing(path) as new:
        new.write_bytes(packed)
