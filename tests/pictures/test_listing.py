"""Files are found by class, in an order that depends on their names alone."""

import os

import pytest

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.listing import Found, classes, find


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_files_are_found_in_order(tmp_path):
    """Nested ones too, hidden ones not, sorted as bytes, class by class."""
    touch(tmp_path, "b/2", "b/10", "b/Z", "a-b/x/1", "a-b/x.jpg", "a-b/.hidden", "a-b/.git/y")
    touch(tmp_path, "README.md", ".dvc/z", "b/ä", "b/a b", "b/new\nline")
    names = classes(tmp_path)
    assert names == ("a-b", "b")
    expected = ["a-b/x.jpg", "a-b/x/1"]
    expected += ["b/10", "b/2", "b/Z", "b/a b", "b/new\nline", "b/ä"]
    assert find(tmp_path, names) == [Found(path, int(path[0] == "b")) for path in expected]


def test_names_that_are_not_utf8_are_found(tmp_path):
    """A file name is bytes."""
    touch(tmp_path, "a/1", "b/1")
    (tmp_path / "a" / os.fsdecode(b"\xff.jpg")).touch()
    assert find(tmp_path, ("a", "b"))[1].path == "a/\udcff.jpg"


def test_links_are_followed_but_not_in_circles(tmp_path):
    """To a file, to a folder elsewhere, back to a folder above, to itself, to nothing."""
    root = tmp_path / "pictures"
    touch(tmp_path, "elsewhere/1.jpg")
    touch(root, "a/2.jpg", "a/deep/3.jpg", "b/4.jpg")
    (root / "a" / "file").symlink_to("2.jpg")
    (root / "a" / "folder").symlink_to(tmp_path / "elsewhere")
    (root / "a" / "deep" / "up").symlink_to("../../a")
    (root / "a" / "deep" / "root").symlink_to(root)
    (root / "a" / "loop").symlink_to("loop")
    (root / "a" / "nothing").symlink_to("nowhere")
    found = [file.path.removeprefix("a/") for file in find(root, ("a", "b")) if file.label == 0]
    assert found == ["2.jpg", "deep/3.jpg", "file", "folder/1.jpg", "loop", "nothing"]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], "none"),
        (["cat"], r"1 \(cat\)"),
        (["1", "2", "3", "4", "5", "6"], r"6 \(1, 2, 3, 4, 5, \.\.\.\)"),
    ],
)
def test_two_classes_are_needed(tmp_path, names, found):
    """The message says what there is; hidden folders and files do not count."""
    touch(tmp_path, ".dvc/x", "file", *(f"{name}/x" for name in names))
    with pytest.raises(InputError, match=f"subfolders found: {found}; two are needed"):
        classes(tmp_path)


def test_the_folder_must_be_one(tmp_path):
    """Nothing there, or a file."""
    touch(tmp_path, "file")
    with pytest.raises(InputError, match=r"nowhere: no such folder"):
        classes(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"file: is a file, not a folder"):
        classes(tmp_path / "file")
