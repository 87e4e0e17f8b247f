"""Files are found by class, in an order that depends on their names alone."""

import os

import pytest

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.listing import Found, classes, listed


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_files_are_found_in_order(tmp_path):
    """Nested ones too, hidden ones not, sorted as bytes, class by class; names need no UTF-8."""
    touch(tmp_path, "b/2", "b/10", "b/Z", "a-b/x/1", "a-b/x.jpg", "a-b/.hidden", "a-b/.git/y")
    touch(tmp_path, "README.md", ".dvc/z", "b/ä", "b/a b", "b/new\nline", "b/\udcff.jpg")
    names = classes(tmp_path)
    assert names == ("a-b", "b")
    expected = ["a-b/x.jpg", "a-b/x/1"]
    expected += ["b/10", "b/2", "b/Z", "b/a b", "b/new\nline", "b/ä", "b/\udcff.jpg"]
    assert listed(tmp_path, names).files == [Found(path, int(path[0] == "b")) for path in expected]


def test_links_to_files_are_followed(tmp_path):
    """Pipes and links to nothing are listed too, for whoever reads them to say so."""
    root = tmp_path / "pictures"
    touch(tmp_path, "elsewhere/1.jpg")
    touch(root, "a/2.jpg", "b/4.jpg")
    os.mkfifo(root / "a" / "pipe")
    for name, target in (("file", tmp_path / "elsewhere/1.jpg"), ("loop", "loop"), ("dead", "x")):
        (root / "a" / name).symlink_to(target)
    found = [file.path for file in listed(root, ("a", "b")).files]
    assert found == ["a/2.jpg", "a/dead", "a/file", "a/loop", "a/pipe", "b/4.jpg"]


@pytest.mark.parametrize("target", ["../../elsewhere", ".", "..", "/"])
def test_links_to_folders_are_refused(tmp_path, target):
    """Wherever they lie and lead, in circles too; not where nobody looks."""
    touch(tmp_path, "a/deep/1", "b/1", "elsewhere/2", "b/@eaDir/3")
    (tmp_path / "b" / "@eaDir" / "x").symlink_to("..")
    (tmp_path / "b" / ".x").symlink_to("..")
    assert len(listed(tmp_path, ("a", "b")).files) == 2
    link = tmp_path / "a" / "deep" / "link"
    link.symlink_to(target)
    with pytest.raises(InputError, match="a/deep/link: is a link to the folder ") as error:
        listed(tmp_path, ("a", "b"))
    assert f"folder {link.resolve()};" in str(error.value)


def test_what_systems_lay_beside_pictures_is_skipped_and_listed(tmp_path):
    """Thumbnails of network storage, of desktops, forks of macOS: all files of such folders."""
    touch(tmp_path, "a/1.jpg", "b/1.jpg", "b/Thumbs.db", "a/._1.jpg", "__MACOSX/a/._1.jpg")
    touch(tmp_path, "a/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "a/x/.thumbnails/1.png", "b/#recycle/2")
    _, files, skipped = listed(tmp_path, ("a", "b"))
    assert [file.path for file in files] == ["a/1.jpg", "b/1.jpg"]
    beside = ["__MACOSX/a/._1.jpg", "a/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg"]
    assert skipped == [*beside, "a/x/.thumbnails/1.png", "b/#recycle/2"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\uff1d1"])
def test_no_path_is_a_formula(tmp_path, name):
    """In a table it would run; ./ leads to the same file."""
    touch(tmp_path, f"{name}/=1.jpg", "zz/1.jpg")
    path = listed(tmp_path, (name, "zz")).files[0].path
    assert path == f"./{name}/=1.jpg"
    assert (tmp_path / path).exists()


@pytest.mark.parametrize(
    ("names", "found"),
    [("", "none"), (["cat"], r"1 \(cat\)"), ("123456", r"6 \(1, 2, 3, 4, 5, \.\.\.\)")],
)
def test_two_classes_are_needed(tmp_path, names, found):
    """The message says what there is; hidden folders, and files, do not count."""
    touch(tmp_path, ".dvc/x", "file", *(f"{name}/x" for name in names))
    with pytest.raises(InputError, match=f"subfolders found: {found}; two are needed"):
        classes(tmp_path)
    with pytest.raises(InputError, match=r"nowhere: no such folder"):
        classes(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"file: is a file, not a folder"):
        classes(tmp_path / "file")
