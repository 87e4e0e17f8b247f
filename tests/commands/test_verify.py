"""verify runs a commit from nothing and names every file that comes out otherwise."""

import importlib.util
import json
import py_compile
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from checkouts import commit, run, with_environment
from safetensors.numpy import load, save

from shallowdeep.commands.clean_clone import Head, randomized
from shallowdeep.commands.difference import findings
from shallowdeep.commands.verify import main

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


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """A committed project of DVC with two small stages, as the current folder."""
    folder = tmp_path / "a toy"
    folder.mkdir()
    for name, content in (
        ("input", "0.5"),
        ("make.py", MAKE),
        ("dvc.yaml", PIPELINE % sys.executable),
        ("params.yaml", "data: {dir: elsewhere}\n"),
        (".gitignore", "number\n"),
    ):
        (folder / name).write_text(content)
    run(folder, "git", "init", "--quiet")
    for name, value in (("name", "Tester"), ("email", "tester@example.org")):
        run(folder, "git", "config", f"user.{name}", value)
    run(folder, "dvc", "init", "--quiet")
    run(folder, "dvc", "repro", "--quiet")
    commit(folder)
    monkeypatch.chdir(folder)
    return folder


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
    run(project, "git", "rm", "--quiet", "data/dvc.lock")
    run(project, "git", "commit", "--quiet", "-m", "without the sample")
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


def test_a_forged_verdict_with_a_forged_lock_is_found(project):
    """In a subfolder of somebody else's repository; other files are the same."""
    run(project, "git", "rm", "--quiet", "data/dvc.lock")
    metrics, lock = project / "results/metrics.json", project / "dvc.lock"
    before = md5(metrics)
    text = metrics.read_text()
    metrics.write_text(re.sub(r'"verdict": "\w+"', '"verdict": "deep"', text))
    edit(lock, before, md5(metrics))
    shutil.rmtree(project / ".git")
    top = project.parent / "of another"
    top.mkdir()
    run(top, "git", "init", "--quiet")
    for name, value in (("name", "Tester"), ("email", "tester@example.org")):
        run(top, "git", "config", f"user.{name}", value)
    project = project.rename(top / "a project")
    commit(top)
    run(top, "chown", "--recursive", "12345", str(top))
    printed = run(project, "python", "-m", "shallowdeep", "verify", status=1)
    assert re.search(r"evaluate +results/metrics.json +different +not numbers alone\n", printed)
    assert re.search(r"train-deep +models/deep/weights.safetensors +same bits\n", printed)
    assert printed.endswith("files are different: results/metrics.json, dvc.lock\n")


def test_numbers_within_the_tolerance_are_told_with_their_difference(toy, capsys):
    """Larger differences are an error."""
    metrics, lock = toy / "metrics.json", toy / "dvc.lock"
    for number, last in (("0.5003", ""), ("0.51", "files are different: metrics.json, dvc.lock")):
        before = md5(metrics)
        metrics.write_text(re.sub(r'"mean": [\d.]+', f'"mean": {number}', metrics.read_text()))
        edit(lock, before, md5(metrics))
        text = lock.read_text()
        size = metrics.stat().st_size
        lock.write_text(re.sub(r"(metrics.json\n.*\n.*\n +size: )\d+", rf"\g<1>{size}", text))
        commit(toy)
        assert verified().endswith(last)
        printed = capsys.readouterr().out
        if not last:
            assert re.search(r"metrics.json +within tolerance +0.0003\n", printed)
            assert printed.endswith("verify: 2 outputs: within tolerance, 0.001\n")


def forge_metrics(toy: Path) -> None:
    edit(toy / "metrics.json", "deep", "shallow")


def forge_code(toy: Path) -> None:
    edit(toy / "make.py", '"deep"', '"shallow"')


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


def write_the_lock_otherwise(toy: Path) -> None:
    with (toy / "dvc.lock").open("a") as file:
        file.write("# by hand\n")


def change_what_is_tracked(toy: Path) -> None:
    """A stage that edits a file of git, which is no output."""
    with (toy / "make.py").open("a") as file:
        file.write('open("input", "a").write("\\n")\n')


@pytest.mark.parametrize(
    ("forge", "named"),
    [
        (forge_metrics, "metrics.json"),
        (forge_code, "metrics.json"),
        (forget_a_stage, "number"),
        (invent_a_stage, "x"),
        (forge_a_parameter, "dvc.lock"),
        (freeze, "metrics.json"),
        (keep_the_old, "metrics.json"),
        (write_the_lock_otherwise, "dvc.lock"),
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


@pytest.mark.parametrize("name", ["__pycache__/make.cpython-311.pyc", "json.pyc", "__pycache__/x"])
def test_compiled_code_is_refused(toy, name):
    """DVC hashes none of it, and Python would run it."""
    (toy / name).parent.mkdir(exist_ok=True)
    (toy / name).write_bytes(b"x")
    run(toy, "git", "add", "--force", name)
    commit(toy)
    assert verified() == f"verify: {name}: is compiled code, which nobody checks; `git rm` it"


def test_a_submodule_is_refused(toy):
    """Its files are not in the commit."""
    inner = toy.parent / "inner"
    inner.mkdir()
    run(inner, "git", "init", "--quiet")
    (inner / "a").write_text("")
    for name, value in (("name", "Tester"), ("email", "tester@example.org")):
        run(inner, "git", "config", f"user.{name}", value)
    commit(inner)
    add = ("git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner))
    run(toy, *add, "code")
    commit(toy)
    assert verified() == "verify: code: is a submodule; the commit does not have its files"


def test_a_commit_without_a_lock_is_refused(toy):
    """It has nothing to verify."""
    run(toy, "git", "rm", "--quiet", "--cached", "dvc.lock")
    run(toy, "git", "commit", "--quiet", "-m", "none")
    assert verified() == "verify: HEAD has no results in dvc.lock; commit it"
    (toy / "dvc.lock").unlink()
    assert verified().startswith("verify: there is no dvc.lock; `make repro` makes it")


def test_a_run_that_fails_is_one_line(toy):
    """With the last line that DVC prints."""
    edit(toy / "make.py", "import json", "raise SystemExit(3)")
    commit(toy)
    assert verified().startswith("verify: the run in the clone failed: failed to")


def test_outside_of_a_project_it_is_one_line(tmp_path, monkeypatch):
    """It names the place to run it."""
    monkeypatch.chdir(tmp_path)
    assert "no dvc.yaml here" in verified()


TENSORS = {"a": np.ones((2, 3), np.float32), "b": np.zeros(2, np.float32)}
ABOUT = {"shallowdeep": '{"classes": ["cat", "dog"]}'}


def changed(**arrays) -> bytes:
    return save(TENSORS | arrays, ABOUT)


@pytest.mark.parametrize(
    ("name", "old", "new", "difference"),
    [
        ("a.json", b'{"a": 0.5}', b'{"a": 0.5003}', 0.0003),
        ("a.json", b'{"a": 0.5}', b'{"a": 0.6}', 0.1),
        ("a.json", b'{"a": 0.5}', b'{"b": 0.5}', None),
        ("a.json", b'{"a": 1-2}', b'{"a": 1}', None),
        ("a.json", b'{"a": NaN}', b'{"a": 1}', None),
        ("a.json", b'{"a": 1}', b'{"a": 1e999}', None),
        ("a.csv", b"x,1\ny,2\n", b"y,1\nx,2\n", None),
        ("a.csv", b"x,1\n", b"x,1.0\n", 0.0),
        ("a.md", b"1.0", b"1.0001", None),
        ("a.safetensors", changed(), changed(b=np.full(2, 2e-4, np.float32)), 2e-4),
        ("a.safetensors", changed(), changed(a=np.full((2, 3), 1.5, np.float32)), 0.5),
        ("a.safetensors", changed(), changed(b=np.full(2, np.nan, np.float32)), None),
        ("a.safetensors", changed(), changed(b=np.zeros(2, np.float64)), None),
        ("a.safetensors", changed(), changed(a=np.ones((3, 2), np.float32)), None),
        ("a.safetensors", changed(), save(TENSORS, {"shallowdeep": '{"classes": ["dog"]}'}), None),
        ("a.safetensors", changed(), save(dict(load(changed())), {"x": "y"}), None),
        ("a.safetensors", changed(), changed()[:-1], None),
        ("a.safetensors", changed(), b"", None),
    ],
)
def test_every_number_and_every_word_is_compared(tmp_path, name, old, new, difference):
    """Only numbers may differ; metadata, names, types and shapes of tensors are words."""
    (tmp_path / name).write_bytes(new)

    def lock(md5):
        return {"dvc.lock": {"stages": {"s": {"outs": [{"path": name, "md5": md5}]}}}}

    (found,) = findings(
        lock("0"),
        lock("1"),
        ["dvc.lock"] if difference is not None and difference < 1e-3 else [],
        committed=dict.__getitem__,
        cached={"0": old}.__getitem__,
        fresh=tmp_path,
    )
    assert found.difference == (None if difference is None else pytest.approx(difference, rel=1e-4))
    close = difference is not None and difference < 1e-3
    assert found.verdict == ("within tolerance" if close else "different")


def test_folders_are_compared_file_by_file(tmp_path):
    """A file more or less is a difference; a file that the cache lacks is not compared."""

    def lock(md5):
        return {"dvc.lock": {"stages": {"s": {"outs": [{"path": "d", "md5": md5}]}}}}

    entries = [{"relpath": name, "md5": name} for name in ("a.csv", "b.csv")]
    cache = {"0.dir": json.dumps(entries).encode(), "a.csv": b"x,1", "b.csv": b"y,2"}

    def verdict(cache):
        found = findings(
            lock("0.dir"),
            lock("1.dir"),
            [],
            committed=dict.__getitem__,
            cached=cache.__getitem__,
            fresh=tmp_path,
        )
        return found[0].verdict, found[0].difference

    (tmp_path / "d").mkdir()
    (tmp_path / "d/a.csv").write_bytes(b"x,1")
    assert verdict(cache) == ("different", None)
    (tmp_path / "d/b.csv").write_bytes(b"y,2.0005")
    assert verdict(cache) == ("within tolerance", pytest.approx(0.0005))
    assert verdict({"0.dir": cache["0.dir"], "a.csv": b"x,1"}) == ("different", None)
    assert verdict({}) == ("different", None)


def test_a_lock_may_differ_by_the_hashes_of_close_files_only(tmp_path):
    """A parameter more is a difference of its own."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m/a.csv").write_text("x,1.0001")

    def lock(md5, lr):
        return {
            "dvc.lock": {
                "stages": {
                    "s": {"outs": [{"path": "m/a.csv", "md5": md5}], "params": {"lr": lr}},
                    "t": {"deps": [{"path": "m", "md5": f"of {md5}"}]},
                }
            }
        }

    for lr, verdicts in ((1, ["within tolerance"]), (2, ["within tolerance", "different"])):
        found = findings(
            lock("0", 1),
            lock("1", lr),
            ["dvc.lock"],
            committed=dict.__getitem__,
            cached={"0": b"x,1"}.__getitem__,
            fresh=tmp_path,
        )
        assert [one.verdict for one in found] == verdicts
