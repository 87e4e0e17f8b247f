"""How many experiments this checkout has tried on the same pictures.

Each is another chance to find what is not there. DVC's run cache holds every evaluation that ran to
its end here, in queues and temporary folders too; one counts once, however often it was evaluated.
"""

import configparser
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_COMMAND = "stages/evaluate.py"
_ENTRY = re.compile(r"^- path: (\S+)\n(?:  \w+: .*\n)*?  md5: (\S+)$", re.MULTILINE)
_PICTURES, _FOLDER = "pictures.npy", "data/prepared"


def experiments(
    answers: Mapping[str, str | None], pictures: str | None, *, root: Path = Path()
) -> int:
    """Count experiments on the same pictures, this one among them.

    Args:
        answers: hashes of this one's answers, by path.
        pictures: DVC's hash of its data/prepared.
        root: the project's folder.
    """
    cache = _cache(root)
    ours = _array(cache, str(pictures))
    found = {_identity(answers)}
    for path in (cache / "runs").glob("*/*/*"):
        with suppress(OSError, LookupError, ValueError):
            run = _run(path)
            if run is not None and ours and _array(cache, run[_FOLDER]) == ours:
                found.add(_identity(run))
    return len(found)


def _run(path: Path) -> dict[str, str] | None:
    """What an evaluation read, by path; nothing where this is another stage's run."""
    text = path.read_text(encoding="utf-8")
    if _COMMAND not in text.partition("\n")[0]:
        return None
    return dict(_ENTRY.findall(text))  # a YAML parser takes a tenth of a second for each


def _identity(hashes: Mapping[str, str | None]) -> tuple[tuple[str, str | None], ...]:
    return tuple(sorted(item for item in hashes.items() if item[0].endswith("/answers.npy")))


def _array(cache: Path, folder: str) -> str | None:
    """Hash of the pictures in a data/prepared of DVC's cache; None where it is not there."""
    path = cache / "files/md5" / folder[:2] / folder[2:]
    with suppress(OSError, ValueError, LookupError, TypeError, StopIteration):
        listed = json.loads(path.read_text(encoding="utf-8"))
        return str(next(one["md5"] for one in listed if one["relpath"] == _PICTURES))
    return None


def _cache(root: Path) -> Path:
    """DVC's cache, by its configuration in the project."""
    settings = configparser.ConfigParser(strict=False, interpolation=None)
    with suppress(configparser.Error, UnicodeDecodeError):
        settings.read([root / ".dvc/config", root / ".dvc/config.local"])
    return root / ".dvc" / settings.get("cache", "dir", fallback="cache")
