"""Files and folders that are complete or absent, never half-written."""

import glob
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path for a new version of `path`; move it into place once the body has ended well.

    The new version has the same name in a temporary sibling folder (torch.save stores the file's
    stem, so a temporary name would change the bytes). After an error nothing is left of it and
    `path` is as it was. A folder that stands at `path` is replaced whole. What a killed process
    left of an earlier attempt is removed.

    Args:
        path: file or folder to write; its parent is created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    try:
        new = scratch / path.name
        yield new
        if path.is_dir():
            path.rename(scratch / "old")  # a folder cannot be replaced in one step
        new.replace(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8 with Unix line ends, complete or not at all."""
    with replacing(path) as new:
        new.write_text(text, encoding="utf-8", newline="\n")
