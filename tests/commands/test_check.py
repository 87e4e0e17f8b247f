"""Files that DVC cannot hash are named before it begins."""

import os
import shutil
from pathlib import Path

import pytest
from checkouts import ROOT, run
from in_process import dvc_main, told

from shallowdeep.settings import params


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of pictures, of which nobody reads a byte, and the parameters that name it."""
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("dir: data/sample", "dir: set"))
    for name in ("cat", "dog"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(20):
            (tmp_path / "set" / name / f"{number}.jpg").touch()
    dvc_main(tmp_path, "init", "--no-scm", "--quiet")
    return tmp_path / "set"


def test_nothing_is_said_where_all_is_well(folder, capfd):
    """Nor where DVC is yet to make the folder, as the sample is on a fresh clone."""
    assert told("check") == ""
    folder.rename("elsewhere")
    assert told("check").startswith("check: data.dir: set: no such folder")
    Path("dvc.yaml").write_text("stages: {x: {cmd: x, outs: [set]}}")
    assert told("check") == ""
    assert capfd.readouterr() == ("", "")


def test_what_dvc_or_prepare_would_refuse_is_told(folder):
    """The first, and their number, before DVC has hashed gigabytes; in hidden corners too."""
    (folder / "dog" / os.fsdecode(b"\xff\n.jpg")).touch()
    head = "check: data.dir: set"
    assert told("check") == (
        f"{head}: DVC cannot hash 1 of its files, first dog/\\udcff\\n.jpg: its name is not UTF-8;"
        " rename it"
    )
    (folder / "cat" / ".hidden").mkdir()
    os.mkfifo(folder / "cat" / ".hidden" / "pipe")
    (folder / "cat" / "gone").symlink_to("nowhere")
    first = "cat/.hidden/pipe: neither a file nor a link"
    assert f"cannot hash 3 of its files, first {first}" in told("check")
    (folder / "dog" / "up").symlink_to("..")
    assert told("check").startswith(f"{head}/dog/up: is a link to the folder {folder};")


def test_pictures_that_would_go_into_git_are_refused(project, monkeypatch):
    """An experiment of DVC keeps untracked files; below data/ git ignores them."""
    monkeypatch.chdir(project)
    text, mine = Path("params.yaml").read_text(), params.read(Path("params.yaml")).data.dir
    for place in ("data/mine", "../outside", "mine"):
        shutil.copytree(mine, place)
        Path("params.yaml").write_text(text.replace(f"dir: {mine}", f"dir: {place}"))
        line = told("check")
        assert line.endswith("or name it in .gitignore") if place == "mine" else line == ""
    Path(".git/info/exclude").write_text("/mine/\n")
    assert told("check") == ""
    Path(".git/info/exclude").unlink()
    run(project, "git", "add", "--force", "mine")
    assert told("check") == ""


def test_make_repro_looks_first():
    """And so does not hang at a pipe."""
    recipe = run(ROOT, "make", "--dry-run", "--old-file=.venv/installed", "repro")
    assert "shallowdeep check\ndvc repro\n" in recipe
