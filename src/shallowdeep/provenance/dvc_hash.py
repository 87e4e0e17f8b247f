"""The hash that DVC has for a file or a folder."""

import hashlib
import json
import os
from pathlib import Path


def md5(path: Path) -> str | None:
    """The hash that DVC has for a file or folder; None where there is none or it cannot be read.

    A folder's is that of the JSON list of its files' hashes and names, sorted by name. `.dvcignore`
    is not read: what it leaves out are caches of Python, which are left out here too.
    """
    if path.is_dir():
        files = (
            Path(top, name) for top, _, names in os.walk(path, followlinks=True) for name in names
        )
        relative = sorted((file.relative_to(path).parts, file) for file in files)
        entries = [
            {"md5": md5(file), "relpath": "/".join(parts)}
            for parts, file in relative
            if "__pycache__" not in parts
        ]
        return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except OSError:
        return None
