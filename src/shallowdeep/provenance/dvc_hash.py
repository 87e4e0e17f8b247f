"""The hash that DVC has for a file or a folder."""

import hashlib
import json
from pathlib import Path

from shallowdeep.files.file_tree import Kind, walk


def md5(path: Path) -> str | None:
    """The hash that DVC has for a file or folder; None where there is none or it cannot be read.

    A folder's is that of the JSON list of its files' hashes and names, sorted by name. `.dvcignore`
    is not read: what it leaves out are caches of Python, which are left out here too.
    """
    if path.is_dir():
        parts = [entry.path.split("/") for entry in walk(path) if entry.kind is Kind.FILE]
        entries = [
            {"md5": md5(path.joinpath(*names)), "relpath": "/".join(names)}
            for names in sorted(parts)
            if "__pycache__" not in names
        ]
        return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
    if not path.is_file():  # a pipe, which would wait for who writes to it
        return None
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except OSError:
        return None
