"""Files and folders are complete or absent."""

import subprocess
import sys

import pytest

from shallowdeep.files.atomic import replacing, write_text


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
    for name in (".a.x.tmp.csv", ".b.x.tmp.csv", ".a.x.tmp.json"):
        (tmp_path / name).write_text("half")
    write_text(tmp_path / "a.csv", "whole")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"a.csv", ".b.x.tmp.csv", ".a.x.tmp.json"}


def test_between_its_place_and_its_end_nothing_is_left(tmp_path, monkeypatch):
    """A process that is killed once the file is in place has cleaned up already."""
    monkeypatch.setattr("shallowdeep.files.atomic._remove", lambda _: None)
    with replacing(tmp_path / "a.csv") as new:
        new.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_what_another_process_is_writing_stays(tmp_path):
    """Of the same output: two experiments may save the same checkpoint."""
    path = tmp_path / "a.csv"
    code = (
        "import sys, pathlib; from shallowdeep.files.atomic import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1])) as new:\n"
        "    new.write_text('theirs'); print('begun', flush=True); sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    other.stdout.readline()
    write_text(path, "ours")
    other.communicate(b"")
    assert other.returncode == 0
    assert path.read_text() == "theirs"
    killed = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    killed.stdout.readline()
    killed.kill()
    killed.communicate()
    write_text(path, "ours")
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
