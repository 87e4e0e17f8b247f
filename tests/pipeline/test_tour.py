"""docs/tour.md names what there is."""

import re
from importlib import import_module

import pytest
from checkouts import ROOT

TOUR = (ROOT / "docs/tour.md").read_text()
NAMES = sorted(set(re.findall(r"`(\w+/\w+\.py):(\w+)`", TOUR)))


@pytest.mark.parametrize(("file", "name"), NAMES, ids=lambda value: value)
def test_a_named_thing_is_there(file, name):
    """A function or a type of that module, made in it and not only imported."""
    module = "shallowdeep." + file.removesuffix(".py").replace("/", ".")
    assert getattr(import_module(module), name).__module__ == module


def test_every_file_and_folder_of_the_diagram_is_there():
    """Inside the diagram and outside of it."""
    named = set(re.findall(r"\b(\w+/\w+\.py)\b", TOUR)) | set(re.findall(r"`(\w+/)`", TOUR))
    there = {name for name in named if (ROOT / "src/shallowdeep" / name).exists()}
    assert named - there == {"stages/"}


def test_every_room_is_on_the_way():
    """No folder of the package is left out."""
    rooms = {path.parent.name for path in (ROOT / "src/shallowdeep").glob("*/__init__.py")}
    assert rooms <= set(re.findall(r"\b(\w+)/", TOUR))
    assert len(NAMES) > 40
