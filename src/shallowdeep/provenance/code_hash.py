"""Hash of a folder of code."""

import hashlib
import json
from pathlib import Path


def md5_of_code(folder: Path) -> str:
    """MD5 of the names and contents of a folder's files, as DVC has it; without Python's caches."""
    entries = [
        {"md5": hashlib.md5(path.read_bytes()).hexdigest(), "relpath": "/".join(names)}
        for names in sorted(path.relative_to(folder).parts for path in folder.rglob("*"))
        if "__pycache__" not in names and (path := folder.joinpath(*names)).is_file()
    ]
    return f"{hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest()}.dir"
