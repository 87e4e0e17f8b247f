"""verify runs a commit from nothing and names every file that comes out otherwise."""

import hashlib
import importlib.util
import json
import py_compile
import re
import shutil
import sys
from pathlib import Path

import pytest
from checkouts import commit, run, with_environment
from in_process import dvc_main, told

from shallowdeep.commands import verify
from shallowdeep.commands.clean_clone import changed_files, clean_environment
from shallowdeep.commands.verify import randomized

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
        (".gitignore", "number\n.venv\n"),
    ):
        (folder / name).write_text(content)
    repository(folder)
    dvc_main(folder, "init", "--quiet")
    dvc_main(folder, "repro", "--quiet")
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


def edit(project: Path, name: str, old: str, new: str) -> None:
    """Put a text in the place of whatever a pattern matches."""
    text, count = re.subn(old, new, (project / name).read_text())
    assert count
    (project / name).write_text(text)


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_a_clean_run_gives_the_committed_bits_whatever_is_varied(project, tmp_path):
    """From a worktree's subfolder; threads, locale, time zone, umask, path, order of files."""
    edit(project, "params.yaml", "dir: .*pictures", "dir: data/sample")
    dvc_main(project, "repro")
    commit(project)
    worktree, report = tmp_path / "a worktree", tmp_path / "findings.json"
    run(project, "git", "worktree", "add", "--quiet", "-b", "other", str(worktree))
    with_environment(worktree)
    verify = ("python", "-m", "shallowdeep", "verify", "--randomize", "7", "--json", str(report))
    assert re.search(r"verify: \d+ outputs: same bits\n$", run(worktree / "docs", *verify))
    content = json.loads(report.read_text())
    outputs = {"results/metrics.json", "models/deep/weights.safetensors", "data/sample"}
    assert outputs <= set(content["outputs"])
    assert content["different"] == content["uncommitted"] == []
    assert content["commit"] == run(project, "git", "rev-parse", "HEAD").strip()
    assert content["randomized"]["seed"] == 7
    assert content["randomized"]["environment"] == randomized(7).environment
    assert content["environment"]["packages"]["dvc"]


def test_a_forged_number_with_a_forged_lock_is_found(toy, monkeypatch, capsys):
    """With its difference, in a subfolder of another repository, which keeps the JSON report."""
    metrics = toy / "metrics.json"
    before, size = md5(metrics), metrics.stat().st_size
    edit(toy, "metrics.json", "0.5", "0.5003")
    edit(toy, "dvc.lock", before, md5(metrics))
    edit(toy, "dvc.lock", f"size: {size}", f"size: {size + 3}")
    shutil.rmtree(toy / ".git")
    top = toy.parent / "of another"
    top.mkdir()
    repository(top)
    monkeypatch.chdir(toy.rename(top / "a toy"))
    commit(top)
    ended = told("verify", "--json", str(top / "found.json"))
    assert ended == "verify: 2 files are different: metrics.json, dvc.lock"
    assert re.search(r"metrics.json +mean +0.5003 +0.5 +-0.0003\n", capsys.readouterr().out)
    found = json.loads((top / "found.json").read_text())
    assert found["different"] == ["metrics.json", "dvc.lock"]


FORGED = ("metrics.json", "deep", "shallow")
CACHED = ("dvc.lock", r"(path: number\n.*\n +md5: )\w+", r"\g<1>" + "a" * 32)
FORGOTTEN = ("dvc.lock", r"  first:\n(    .*\n|  - .*\n)+", "")
KEPT = [  # DVC leaves a persistent output for its stage, which here writes none
    ("dvc.yaml", "cache: false", "cache: false, persist: true"),
    ("make.py", r"json\.dump", "if not os.path.exists('metrics.json'): json.dump"),
]
TRACKED = ("make.py", r"\Z", r'open("input", "a").write("0")\n')  # which is no output


@pytest.mark.parametrize(
    ("edits", "named"),
    [
        ([FORGED, CACHED], "3 files are different: number, dvc.lock, metrics.json"),
        ([("dvc.lock", "elsewhere", "other")], "1 files are different: dvc.lock"),
        ([FORGOTTEN], "2 files are different: number, dvc.lock"),
        ([FORGED, *KEPT, TRACKED], "3 files are different: dvc.lock, input, metrics.json"),
    ],
)
def test_a_forged_commit_is_found(toy, monkeypatch, edits, named):
    """All files are named; DVC runs in this process."""
    monkeypatch.setattr(verify, "dvc", lambda folder, _, *words: dvc_main(folder, *words))
    for one in edits:
        edit(toy, *one)
    commit(toy)
    assert told("verify") == f"verify: {named}"


def test_pictures_of_a_dvc_file_come_from_the_cache(toy):
    """Those that `dvc add` keeps; without them the run fails."""
    (toy / "data/pictures").mkdir(parents=True)
    (toy / "data/pictures/a.jpg").write_text("a")
    dvc_main(toy, "add", "--quiet", "data/pictures")
    edit(toy, "dvc.yaml", r"deps: \[input", "deps: [data/pictures, input")
    dvc_main(toy, "repro", "--quiet")
    commit(toy)
    assert told("verify") == ""
    shutil.rmtree(toy / ".dvc/cache/files")
    assert "the run in the clone failed: Checkout failed" in told("verify")


def test_what_is_not_committed_is_named(toy, capsys, monkeypatch):
    """Edited, absent and hidden files; the variables that git gives to a hook do not matter."""
    for name in ("a", "b", "c", "d"):
        (toy / name).write_text("")
    commit(toy)
    run(toy, "git", "update-index", "--assume-unchanged", "c")
    run(toy, "git", "update-index", "--skip-worktree", "d")
    (toy / "a").write_text("edited")
    (toy / "b").unlink()
    monkeypatch.setenv("GIT_DIR", "nowhere")
    assert told("verify") == ""
    named = "without what is not committed: a, b, c (hidden from git) ...\n"
    assert named in capsys.readouterr().out
    assert changed_files(toy)[-1] == "d (hidden from git)"
    monkeypatch.chdir(toy.parent)
    assert told("verify") == "verify: there is no dvc.yaml here; run it in the project"


def test_no_compiled_code_of_others_is_run(toy):
    """Python looks for it in an empty folder, and not beside the source."""
    source, planted = toy / "our_code.py", toy / "planted.pyc"
    source.write_text("print('planted')\n")
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(planted), invalidation_mode=unchecked)
    (toy / "__pycache__").mkdir()
    planted.rename(importlib.util.cache_from_source(str(source)))
    source.write_text("print('source')\n")
    command = (sys.executable, "-c", "import our_code")
    assert run(toy, *command) == "planted\n"
    folder = clean_environment()["PYTHONPYCACHEPREFIX"]
    assert run(toy, "env", f"PYTHONPYCACHEPREFIX={folder}", *command) == "source\n"


def compile_code(toy: Path) -> None:
    (toy / "__pycache__").mkdir()
    (toy / "__pycache__/make.cpython-311.pyc").write_bytes(b"x")
    run(toy, "git", "add", "--force", "__pycache__")


def add_a_submodule(toy: Path) -> None:
    run(toy, "git", "clone", "--quiet", ".", "../inner")
    add = ("git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add")
    run(toy, *add, str(toy.parent / "inner"), "code")


def forget_the_lock(toy: Path) -> None:
    run(toy, "git", "rm", "--quiet", "--cached", "dvc.lock")
    (toy / ".git/info/exclude").write_text("dvc.lock\n")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (compile_code, "__pycache__/make.cpython-311.pyc: is compiled code, which nobody checks"),
        (add_a_submodule, "code: is a submodule; the commit does not have its files"),
        (forget_the_lock, "HEAD has no results in dvc.lock; commit it"),
        (("dvc.lock", r"(?s)\A.*", "stages: 3"), "HEAD: .*/dvc.lock' validation failed"),
        (lambda toy: (toy / "dvc.lock").unlink(), "there is no dvc.lock; `make repro` makes it"),
        # DVC runs no frozen stage
        (
            ("dvc.yaml", "    params:", "    frozen: true\n    params:"),
            "the run in the clone failed: ",
        ),
        (("make.py", "import", "raise SystemExit(3)"), "the run in the clone failed: failed to"),
    ],
)
def test_what_cannot_be_verified_is_one_line(toy, change, line):
    """It is no commit of a project that has run, or a stage does not run."""
    edit(toy, *change) if isinstance(change, tuple) else change(toy)
    commit(toy)
    assert re.match(f"verify: {line}", told("verify"))
