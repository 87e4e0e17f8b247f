"""Check that the installed packages are those of requirements.txt."""

import re
import sys
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name

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
        raise InputError(f"{file.name} pins {found[0]}{more}; type `make -B setup`")


def installed(places: list[str]) -> dict[str, str]:
    """Versions of the packages that these folders hold, by name; the first folder counts.

    `importlib.metadata` reads a file for each: 45 ms instead of 3, in every stage.
    """
    stems = [folder.stem for place in places[::-1] for folder in Path(place).glob("*.dist-info")]
    return {canonicalize_name(stem.partition("-")[0]): stem.partition("-")[2] for stem in stems}


def differing_packages(requirements: str, here: dict[str, str]) -> list[str]:
    """Packages of requirements.txt that are missing or of another version, in words."""
    return [
        f"{name} {version}, installed is {here.get(canonicalize_name(name), 'none')}"
        for name, version, marker in _PINNED.findall(requirements)
        if not marker or Marker(marker).evaluate()
        if here.get(canonicalize_name(name)) != version
    ]
