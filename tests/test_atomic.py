"""Files and folders are complete or absent."""

import pytest

from shallowdeep.atomic import replacing, write_text


def test_a_file_is_written_whole(tmp_path):
    """Parents are made; nothing temporary stays."""
    write_text(tmp_path / "a" / "b.txt", "one\n")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"one\n"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]


def test_an_error_leaves_the_old_version(tmp_path):
    """Half of the new version is never seen."""
    path = tmp_path / "b.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as new:
        new.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_whole(tmp_path):
    """No file of the old folder is left in the new one."""
    path = tmp_path / "folder"
    for name in ("old", "new"):
        with replacing(path) as fresh:
            fresh.mkdir()
            (fresh / name).touch()
    assert [entry.name for entry in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_removed(tmp_path):
    """Of the same output only: another may be in the making."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / f".{name}.x.tmp" / "half").mkdir(parents=True)
    write_text(tmp_path / "a.csv", "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", ".b.csv.x.tmp"}
