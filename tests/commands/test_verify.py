"""verify runs a commit from nothing and names every file that comes out otherwise."""

import importlib.util
import json
import os
import py_compile
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from checkouts import commit, run, with_environment
from safetensors.numpy import save

from shallowdeep.commands.clean_clone import Head
from shallowdeep.commands.fresh_run import randomized
from shallowdeep.commands.verify import largest_difference, main

MAKE = """import json, os
number = float(open("number").read())
json.dump({"mean": number, "verdict": "deep"}, open("metrics.json", "w"))
"""
PIPELINE = """stages:
  first:
    cmd: cp input number
    deps: [input]
    outs: [number]
  last:
    cmd: %s make.py
    deps: [make.py, number]
    params: [data.dir]
    metrics: [metrics.json: {cache: false}]
"""


@pytest.fixture(scope="module")
def committed(tmp_path_factory) -> Path:
    """A committed project of DVC with two small stages; not to be changed."""
    folder = tmp_path_factory.mktemp("committed")
    for name, content in (
        ("input", "0.5"),
        ("make.py", MAKE),
        ("dvc.yaml", PIPELINE % sys.executable),
        ("params.yaml", "data: {dir: elsewhere}\n"),
        (".gitignore", "number\n"),
    ):
        (folder / name).write_text(content)
    repository(folder)
    run(folder, "dvc", "init", "--quiet")
    run(folder, "dvc", "repro", "--quiet")
    commit(folder)
    return folder


@pytest.fixture
def toy(committed, tmp_path, monkeypatch) -> Path:
    """A copy of that project, as the current folder."""
    folder = Path(shutil.copytree(committed, tmp_path / "a toy", symlinks=True))
    monkeypatch.chdir(folder)
    return folder


def repository(folder: Path) -> None:
    run(folder, "git", "init", "--quiet")
    for name, value in (("name", "Tester"), ("email", "tester@example.org")):
        run(folder, "git", "config", f"user.{name}", value)


def verified(*arguments: str) -> str:
    """The line that verify ends with; nothing if it succeeds."""
    try:
        main(list(arguments))
    except SystemExit as ended:
        return str(ended.code)
    return ""


def edit(path: Path, old: str, new: str) -> None:
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def md5(path: Path) -> str:
    return run(path.parent, "md5sum", path.name).split()[0]


def test_a_clean_run_gives_the_committed_bits_whatever_is_varied(miniature, tmp_path):
    """From a worktree's subfolder; threads, locale, time zone, umask, path, instruction sets."""
    project = Path(shutil.copytree(miniature, tmp_path / "a project", symlinks=True))
    worktree, report = tmp_path / "a worktree", tmp_path / "findings.json"
    run(project, "git", "worktree", "add", "--quiet", "-b", "other", str(worktree))
    with_environment(worktree)
    verify = ("python", "-m", "shallowdeep", "verify", "--randomize", "7", "--json", str(report))
    assert re.search(r"verify: \d+ outputs: same bits\n$", run(worktree / "docs", *verify))
    content = json.loads(report.read_text())
    named = {finding["file"] for finding in content["findings"]}
    assert {"results/metrics.json", "models/deep/weights.safetensors", "data/prepared"} <= named
    assert {finding["verdict"] for finding in content["findings"]} == {"same bits"}
    assert content["randomized"]["seed"] == 7
    assert content["randomized"]["varied"]["TZ"] == randomized(7)[0]["TZ"]
    assert content["uncommitted"] == []


def test_a_forged_number_with_a_forged_lock_is_found(toy, monkeypatch, capsys):
    """With its difference, in a subfolder of somebody else's repository; the rest is the same."""
    metrics, lock = toy / "metrics.json", toy / "dvc.lock"
    before, size = md5(metrics), metrics.stat().st_size
    metrics.write_text(metrics.read_text().replace("0.5", "0.5003"))
    edit(lock, before, md5(metrics))
    edit(lock, f"size: {size}", f"size: {size + 3}")
    shutil.rmtree(toy / ".git")
    top = toy.parent / "of another"
    top.mkdir()
    repository(top)
    monkeypatch.chdir(toy.rename(top / "a toy"))
    commit(top)
    run(top, "chown", "--recursive", "12345", str(top))
    assert verified() == "verify: 2 of 3 files are different: metrics.json, dvc.lock"
    printed = capsys.readouterr().out
    assert re.search(r"first +number +same bits\n", printed)
    assert re.search(r"last +metrics.json +different +0.0003\n", printed)
    assert re.search(r"dvc.lock +different +not numbers alone\n", printed)


def forge_metrics(toy: Path) -> None:
    edit(toy / "metrics.json", "deep", "shallow")


def forget_a_stage(toy: Path) -> None:
    text = (toy / "dvc.lock").read_text()
    (toy / "dvc.lock").write_text(re.sub(r"  first:\n(    .*\n|  - .*\n)+", "", text))


def invent_a_stage(toy: Path) -> None:
    with (toy / "dvc.lock").open("a") as file:
        file.write(f"  other:\n    cmd: x\n    outs:\n    - path: x\n      md5: {'a' * 32}\n")


def forge_a_parameter(toy: Path) -> None:
    edit(toy / "dvc.lock", "data.dir: elsewhere", "data.dir: other")


def freeze(toy: Path) -> None:
    """DVC runs no frozen stage, whatever its dependencies."""
    edit(toy / "metrics.json", "deep", "shallow")
    edit(toy / "dvc.yaml", "    params:", "    frozen: true\n    params:")


def keep_the_old(toy: Path) -> None:
    """DVC leaves a persistent output for its stage, which here writes none."""
    edit(toy / "metrics.json", "deep", "shallow")
    edit(toy / "dvc.yaml", "{cache: false}", "{cache: false, persist: true}")
    edit(toy / "make.py", "json.dump", "if not os.path.exists('metrics.json'): json.dump")


def change_what_is_tracked(toy: Path) -> None:
    """A stage that edits a file of git, which is no output."""
    with (toy / "make.py").open("a") as file:
        file.write('open("input", "a").write("\\n")\n')


@pytest.mark.parametrize(
    ("forge", "named"),
    [
        (forge_metrics, "metrics.json"),
        (forget_a_stage, "number"),
        (invent_a_stage, "x"),
        (forge_a_parameter, "dvc.lock"),
        (freeze, "metrics.json"),
        (keep_the_old, "metrics.json"),
        (change_what_is_tracked, "input"),
    ],
)
def test_a_forged_commit_is_found(toy, capsys, forge, named):
    """The files are named, with exit status 1."""
    forge(toy)
    commit(toy)
    assert named in re.split(", |: ", verified()), capsys.readouterr().out


def test_no_compiled_code_of_others_is_run(toy, tmp_path):
    """Python looks for it in an empty folder, and not beside the source."""
    source, planted = toy / "our_code.py", toy / "__pycache__" / "our_code.cpython-311.pyc"
    source.write_text("print('planted')\n")
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(planted), invalidation_mode=unchecked)
    planted.rename(importlib.util.cache_from_source(str(source)))
    source.write_text("print('source')\n")
    command = (sys.executable, "-c", "import our_code; print(our_code.__file__)")
    assert run(toy, *command).startswith("planted\n")
    environment = Head(toy, tmp_path).environment
    cleaned = [f"{name}={environment[name]}" for name in ("PYTHONPYCACHEPREFIX",)]
    assert run(toy, "env", *cleaned, *command).startswith("source\n")
    assert environment["PYTHONPYCACHEPREFIX"].startswith(str(tmp_path))


def test_pictures_of_a_dvc_file_come_from_the_cache(toy):
    """Those that `dvc add` keeps; without them the run fails."""
    (toy / "data/pictures").mkdir(parents=True)
    (toy / "data/pictures/a.jpg").write_text("a")
    run(toy, "dvc", "add", "--quiet", "data/pictures")
    edit(toy / "dvc.yaml", "deps: [input]", "deps: [input, data/pictures]")
    run(toy, "dvc", "repro", "--quiet")
    commit(toy)
    assert verified() == ""
    shutil.rmtree(toy / ".dvc/cache/files")
    assert "the run in the clone failed: Checkout failed" in verified()


def test_what_is_not_committed_is_named(toy, capsys):
    """Edited and absent files, and those that git was told not to look at."""
    for name in ("a", "b", "c", "d"):
        (toy / name).write_text("")
    commit(toy)
    run(toy, "git", "update-index", "--assume-unchanged", "c")
    run(toy, "git", "update-index", "--skip-worktree", "d")
    (toy / "a").write_text("edited")
    assert verified() == ""
    others = "a, c (hidden from git), d (hidden from git)"
    assert f"without what is not committed: {others}\n" in capsys.readouterr().out
    (toy / "b").unlink()
    report = toy.parent / "findings.json"
    assert verified("--json", str(report)) == ""
    assert json.loads(report.read_text())["uncommitted"][:2] == ["a", "b"]


def compile_code(toy: Path) -> None:
    (toy / "__pycache__").mkdir()
    (toy / "__pycache__/make.cpython-311.pyc").write_bytes(b"x")
    run(toy, "git", "add", "--force", "__pycache__")


def add_a_submodule(toy: Path) -> None:
    inner = toy.parent / "inner"
    inner.mkdir()
    repository(inner)
    (inner / "a").write_text("")
    commit(inner)
    add = ("git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner))
    run(toy, *add, "code")


def forget_the_lock(toy: Path) -> None:
    run(toy, "git", "rm", "--quiet", "--cached", "dvc.lock")
    (toy / ".gitignore").write_text("number\ndvc.lock\n")


def spoil_the_lock(toy: Path) -> None:
    (toy / "dvc.lock").write_text("stages: 3")


def remove_the_lock(toy: Path) -> None:
    (toy / "dvc.lock").unlink()


def fail(toy: Path) -> None:
    edit(toy / "make.py", "import json", "raise SystemExit(3)")


def leave(toy: Path) -> None:
    (toy / "input").write_text("0.6")
    os.chdir(toy.parent)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (compile_code, "__pycache__/make.cpython-311.pyc: is compiled code, which nobody checks"),
        (add_a_submodule, "code: is a submodule; the commit does not have its files"),
        (forget_the_lock, "HEAD has no results in dvc.lock; commit it"),
        (spoil_the_lock, "dvc.lock: not as DVC writes it; `dvc repro` makes it anew"),
        (remove_the_lock, "there is no dvc.lock; `make repro` makes it"),
        (fail, "the run in the clone failed: failed to"),
        (leave, "there is no dvc.yaml here; run it in the project"),
    ],
)
def test_what_cannot_be_verified_is_one_line(toy, change, line):
    """DVC hashes no compiled code, a submodule's files are not in the commit, and so on."""
    change(toy)
    commit(toy)
    assert verified().startswith(f"verify: {line}")


TENSORS = {"a": np.ones((2, 3), np.float32), "b": np.zeros(2, np.float32)}
ABOUT = {"shallowdeep": '{"classes": ["cat", "dog"]}'}


def changed(**arrays) -> bytes:
    return save(TENSORS | arrays, ABOUT)


@pytest.mark.parametrize(
    ("name", "old", "new", "largest"),
    [
        ("a.json", b'{"a": 0.5, "b": 1}', b'{"a": 0.5003, "b": 1}', 0.0003),
        ("a.json", b'{"a": 0.5}', b'{"b": 0.5}', None),
        ("a.json", b'{"a": 1-2}', b'{"a": 1}', None),
        ("a.json", b'{"a": 1}', b'{"a": 1e999}', None),
        ("a.csv", b"x,1\ny,2\n", b"y,1\nx,2\n", None),
        ("a.csv", b"x,1\n", b"x,1.0\n", 0.0),
        ("a.md", b"1.0", b"1.0001", None),
        ("a.safetensors", changed(), changed(b=np.full(2, 2e-4, np.float32)), 2e-4),
        ("a.safetensors", changed(), changed(b=np.full(2, np.nan, np.float32)), None),
        ("a.safetensors", changed(), changed(b=np.zeros(2, np.float64)), None),
        ("a.safetensors", changed(), save(TENSORS, {"shallowdeep": '{"classes": ["dog"]}'}), None),
    ],
)
def test_every_number_and_every_word_is_compared(name, old, new, largest):
    """Only numbers may differ; metadata, names, types and shapes of tensors are words."""
    expected = largest if largest is None else pytest.approx(largest, rel=1e-4)
    assert largest_difference(name, old, new) == expected
