"""A new folder with a subfolder per class: complete or absent, and never over somebody's files."""

from pathlib import Path

import pytest

from shallowdeep.datasets.class_folders import new_class_folders
from shallowdeep.files.errors import InputError


def fill(folder: Path) -> None:
    """Make the folder with one file in it."""
    with new_class_folders(folder) as new:
        (new / "cat" / "1.jpg").write_bytes(b"picture")


def names(folder: Path) -> list[str]:
    """Everything in the folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("empty", [False, True])
def test_a_new_or_an_empty_folder_is_filled(tmp_path: Path, empty: bool) -> None:
    """With both subfolders; parents are made, nothing temporary stays."""
    if empty:
        (tmp_path / "deep" / "pets").mkdir(parents=True)
    fill(tmp_path / "deep" / "pets")
    assert names(tmp_path / "deep") == ["pets", "pets/cat", "pets/cat/1.jpg", "pets/dog"]


@pytest.mark.parametrize("mine", ["pets", "pets/holiday.jpg"])
def test_what_is_there_already_is_kept(tmp_path: Path, mine: str) -> None:
    """A file, or a folder with files, is named and left alone."""
    (tmp_path / mine).parent.mkdir(exist_ok=True)
    (tmp_path / mine).write_bytes(b"mine")
    with pytest.raises(InputError, match="pets: is there already; name a new or an empty folder"):
        fill(tmp_path / "pets")
    assert (tmp_path / mine).read_bytes() == b"mine"


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    """Half a folder is no folder."""
    with pytest.raises(KeyError), new_class_folders(tmp_path / "pets") as new:
        (new / "cat" / "1.jpg").write_bytes(b"picture")
        raise KeyError
    assert names(tmp_path) == []


def test_leftovers_of_a_killed_run_go_and_those_of_others_stay(tmp_path: Path) -> None:
    """Only the scratch folder of the same output is cleared away, brackets in its name or not."""
    (tmp_path / ".pets[1].abc.tmp" / "cat").mkdir(parents=True)
    (tmp_path / ".pets1.abc.tmp").mkdir()
    fill(tmp_path / "pets[1]")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".pets1.abc.tmp", "pets[1]"]
