"""The hash that DVC has for a file or a folder."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from shallowdeep.files.file_tree import Kind, walk


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def md5(path: Path, *, of_file: Callable[[Path], str] = _read) -> str | None:
    """The hash that DVC has for a file or folder; None where there is none or it cannot be read.

    A folder's is that of the JSON list of its files' hashes and names, sorted by name.

    Args:
        path: of the file or folder.
        of_file: gives the MD5 of a file's bytes.
    """
    if path.is_dir():
        entries = [
            {"md5": md5(file, of_file=of_file), "relpath": file.relative_to(path).as_posix()}
            for file in files(path)
        ]
        return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
    if not path.is_file():  # a pipe, which would wait for who writes to it
        return None
    try:
        return of_file(path)
    except OSError:
        return None


def files(path: Path) -> list[Path]:
    """All files of a folder, in DVC's order; or the one file that is there.

    `.dvcignore` is not read: what it leaves out are caches of Python, which are left out here too.
    """
    if not path.is_dir():
        return [path]
    parts = [entry.path.split("/") for entry in walk(path) if entry.kind is Kind.FILE]
    return [path.joinpath(*names) for names in sorted(parts) if "__pycache__" not in names]
