"""Check that the installed packages are those of requirements.txt.

Quick, and with nothing but Python: it runs before anything else is imported.
"""

import re
import sys
from pathlib import Path

from shallowdeep.files.errors import InputError

IMAGE = "/opt/shallowdeep"  # docker/run says where an image is of another requirements.txt
_PINNED = re.compile(r"^([\w.-]+)==([^\s;]+)(?: ; ([^\\\n]*))?", re.MULTILINE)


def refuse_another_environment(file: Path) -> None:
    """Refuse an environment in which a package is missing or of another version.

    dvc.lock names the hash of that file, and would certify packages that nothing ran on.

    Raises:
        InputError: the environment is another one.
    """
    if sys.prefix == IMAGE or not file.exists():
        return
    found = differing_packages(file.read_text(encoding="utf-8"), installed(sys.path))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise InputError(
            f"{file.name}: {found[0]}{more}: this is another environment; type `make -B setup`"
        )


def installed(places: list[str]) -> dict[str, str]:
    """Versions of the packages that these folders hold, by name; the first folder counts."""
    found: dict[str, str] = {}
    for place in places:
        for folder in sorted(Path(place).glob("*.dist-info")):
            name, _, version = folder.stem.partition("-")
            found.setdefault(_plain(name), version)
    return found


def differing_packages(requirements: str, here: dict[str, str]) -> list[str]:
    """Packages that requirements.txt names and that are missing or of another version, in words.

    A package that is asked for on some machines only may be missing.
    """
    wanted: dict[str, set[str]] = {}
    needed = set()
    for name, version, marker in _PINNED.findall(requirements):
        if _for_this_python(marker):
            wanted.setdefault(_plain(name), set()).add(version)
            if not marker:
                needed.add(_plain(name))
    return [
        f"asks for {name} {' or '.join(sorted(versions))}, here is {here.get(name, 'none')}"
        for name, versions in wanted.items()
        if here.get(name) not in versions and (name in here or name in needed)
    ]


def _for_this_python(marker: str) -> bool:
    """True if a line is for this version of Python; the rest of its marker is ignored."""
    for sign, version in re.findall(r"python_full_version (<|>=) '([\d.]+)'", marker):
        older = sys.version_info[:3] < tuple(map(int, version.split(".")))
        if older != (sign == "<"):
            return False
    return True


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
