"""docs/tour.md names what there is."""

import re
from importlib import import_module

import pytest
from checkouts import ROOT

TOUR = (ROOT / "docs/tour.md").read_text()
NAMES = sorted(set(re.findall(r"`(\w+/\w+\.py):(\w+)`", TOUR)))


@pytest.mark.parametrize(("file", "name"), NAMES, ids=lambda value: value)
def test_a_named_thing_exists(file, name):
    """A function or a type of that module, defined in it and not only imported."""
    module = "shallowdeep." + file.removesuffix(".py").replace("/", ".")
    assert getattr(import_module(module), name).__module__ == module


def test_every_named_file_and_folder_exists():
    """In the package, or at the top of the repository."""
    named = set(re.findall(r"\b(\w+/\w+\.py)\b", TOUR)) | set(re.findall(r"`(\w+/)`", TOUR))
    named |= set(re.findall(r"^ *([.\w/]+/) ", TOUR, re.MULTILINE))
    tops = (ROOT / "src/shallowdeep", ROOT)
    assert {name for name in named if not any((top / name).exists() for top in tops)} == set()


def test_no_folder_of_the_package_is_left_out():
    """Each is in the tree, with its purpose."""
    folders = {path.parent.name for path in (ROOT / "src/shallowdeep").glob("*/__init__.py")}
    assert folders <= set(re.findall(r"^  (\w+)/ +\w", TOUR, re.MULTILINE))
    assert len(NAMES) > 25


def test_the_tour_is_short():
    """At most 600 words."""
    assert len(TOUR.split()) <= 600
