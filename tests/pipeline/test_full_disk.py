"""A disk that fills up at any output leaves all of them as they were, and one line."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from in_process import call_alone, process_state_kept

from shallowdeep.datasets import sample
from shallowdeep.files.atomic import write_text, write_torch
from shallowdeep.report import outputs

PAGE = os.sysconf("SC_PAGE_SIZE")
SUDO = () if os.geteuid() == 0 else ("sudo", "--non-interactive")
STAGES = {  # with the number of files that each writes
    "prepare": (["prepare"], 7),
    "train-deep": (["train", "deep"], 3),
    "evaluate": (["evaluate"], 14),
}
FULL = "No space left on device"


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A file system of its own, in memory; in CI it must be possible."""
    where = tmp_path_factory.mktemp("disk")
    mount = (*SUDO, "mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", where)
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode and "CI" not in os.environ:
        pytest.skip("only root can mount a file system")
    assert mounted.returncode == 0, mounted.stderr
    yield where
    subprocess.run([*SUDO, "umount", "--lazy", where], check=True)


@contextmanager
def left(disk: Path, pages: int):
    """Fill the disk but for some pages."""
    filling = disk / "filling"
    with filling.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, (os.statvfs(disk).f_bavail - pages) * PAGE)
    try:
        yield
    finally:
        filling.unlink()


def pages(file: Path) -> int:
    """Number that a file takes."""
    return -(-file.stat().st_size // PAGE)


def contents(folder: Path) -> dict[Path, bytes]:
    """All files, but for DVC's, in the order in which they were written."""
    files = [file for file in folder.rglob("*") if file.is_file() and ".dvc" not in file.parts]
    files.sort(key=lambda file: (file.stat().st_mtime_ns, file.stat().st_ino))
    return {file: file.read_bytes() for file in files}


def once(compute):
    """Compute something at the first call only."""
    found = []

    def first(*arguments, **options):
        if not found:
            found.append(compute(*arguments, **options))
        return found[0]

    return first


@pytest.mark.parametrize("stage", STAGES)
def test_each_output_of_a_stage_in_turn(miniature, disk, stage, monkeypatch):
    """Where half of one fits, all stay the old ones; where all fit, they are the new ones."""
    (script, *arguments), number = STAGES[stage]
    monkeypatch.setattr(outputs, "outputs", once(outputs.outputs))  # 31 s become 4
    project = shutil.copytree(miniature, disk / stage, symlinks=True)
    copied = max(file.stat().st_mtime_ns for file in contents(project))
    assert call_alone(project, script, *arguments).status == 0
    new = {
        file: content
        for file, content in contents(project).items()
        if file.stat().st_mtime_ns > copied
    }
    assert len(new) == number, list(new)
    takes = [pages(file) for file in new]
    for file in new:
        file.write_bytes(b"old")
    before = contents(project)
    for i in range(number):
        with left(disk, sum(takes[:i]) + takes[i] // 2):
            ended = call_alone(project, script, *arguments)
        assert ended == (1, "", f"{stage}: {FULL}\n"), f"{list(new)[i]}: {ended}"
        assert contents(project) == before
    with left(disk, sum(takes)):
        assert call_alone(project, script, *arguments).status == 0
    assert contents(project).items() >= new.items()


def test_each_picture_of_the_sample_in_turn(disk):
    """Nothing is left of a data set that does not fit."""
    folder, arguments = disk / "sample", ["--per-class", "2"]

    def draw():
        with process_state_kept():
            sample.main([str(folder), *arguments])

    draw()
    takes = list(map(pages, contents(folder)))
    shutil.rmtree(folder)
    for i in range(4):
        with left(disk, sum(takes[:i]) + takes[i] // 2), pytest.raises(SystemExit) as ended:
            draw()
        assert str(ended.value) == f"sample: {FULL}"
        assert not list(disk.glob("*sample*"))
    with left(disk, sum(takes)):
        draw()


@pytest.mark.parametrize("write", [write_text, write_torch])
def test_a_record_or_a_checkpoint(disk, write):
    """So are tables, charts and pages of commands."""
    file = disk / "file"
    file.write_text("old")
    with left(disk, 1), pytest.raises(OSError, match=FULL):
        write(file, "x" * 2 * PAGE)
    assert file.read_text() == "old"
    assert not list(disk.glob(".file*"))
