"""Files and folders are complete or absent."""

import subprocess
import sys

import pytest

from shallowdeep.files.atomic import replacing, write_text


def test_a_file_is_written_whole(tmp_path, monkeypatch):
    """Parents are made; nothing temporary stays, and nothing is left to remove after the rename."""
    monkeypatch.setattr("shallowdeep.files.atomic._remove", lambda _: None)
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
    assert [*path.iterdir(), *tmp_path.iterdir()] == [path / "new", path]


def test_leftovers_of_the_same_file_are_removed(tmp_path):
    """Not those of another, which may be in use."""
    others = {".b.x.tmp.csv", ".a1.x.tmp.csv", ".a[1].x.tmp.json"}
    for name in {".a[1].x.tmp.csv", *others}:
        (tmp_path / name).write_text("half")
    write_text(tmp_path / "a[1].csv", "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"a[1].csv", *others}


@pytest.mark.parametrize("killed", [False, True])
def test_the_new_version_of_a_running_process_stays(tmp_path, killed):
    """Two experiments may save the same checkpoint; that of a killed process is removed."""
    path = tmp_path / "a.csv"
    code = (
        "import sys, pathlib; from shallowdeep.files.atomic import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1])) as new:\n"
        "    new.write_text('theirs'); print('begun', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        if killed:
            other.kill()
            other.wait()
        write_text(path, "ours")
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == ("ours" if killed else "theirs")
