"""verify finds every committed byte that is not what the lock or a fresh run says."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from checkouts import commit, run, with_environment
from conftest import made_once
from shallowdeep.commands.committed import (
    edited_meanwhile,
    unlike_the_locks,
    unlike_their_checksums,
)
from shallowdeep.commands.made_anew import held_together, locks_apart

from shallowdeep.commands.clean_clone import randomized
from shallowdeep.files.errors import InputError

VERIFY = ("python", "-m", "shallowdeep", "verify")
LOCKS = ("dvc.lock", "data/dvc.lock")


@pytest.fixture(scope="session")
def with_sample(miniature, tmp_path_factory) -> Path:
    """The miniature project with a lock of its sample too; not to be changed."""

    def make(folder: Path) -> None:
        shutil.copytree(miniature, folder, symlinks=True)
        run(folder, "dvc", "repro", "data/dvc.yaml:sample")
        if run(folder, "git", "status", "--porcelain"):  # not where the sample's lock was in step
            commit(folder)
        with_environment(folder)

    return made_once(tmp_path_factory, "with sample", make)


@pytest.fixture
def verified(with_sample, tmp_path) -> Path:
    """A copy of it, to be forged."""
    return Path(shutil.copytree(with_sample, tmp_path / "a project", symlinks=True))


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 1
    path.write_bytes(data)


def outputs(project: Path) -> list[Path]:
    """All files that the lock names as outputs, of folders one."""
    stages = yaml.safe_load((project / "dvc.lock").read_text())["stages"].values()
    paths = [project / out["path"] for stage in stages for out in stage["outs"]]
    return [next(path.glob("*.*")) if path.is_dir() else path for path in paths]


@pytest.mark.parametrize("place", [0, 1_000, -1])
def test_a_forged_byte_of_an_output_is_found(verified, place):
    """Of each: none hides behind another; without a run."""
    forged = outputs(verified)
    assert len(forged) == 26
    for path in forged:
        path.chmod(0o644)
        flip(path, place)
    said = {one.what for one in unlike_the_locks(verified) if "stage that" not in one.committed}
    named = {path.relative_to(verified).as_posix() for path in forged}
    folders = {"data/prepared", "results/model_cards"}
    assert said == {name for name in named if str(Path(name).parent) not in folders} | folders


@pytest.mark.parametrize("file", ["src/shallowdeep/training/sgd.py", "requirements.txt"])
def test_a_forged_byte_of_what_is_read_is_found(verified, file):
    """The lock is of the code that was committed with it."""
    flip(verified / file, -2)
    assert {Path(one.what) for one in unlike_the_locks(verified)} <= {
        Path(file),
        Path(file).parent,
        Path("..", file),
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_a_forged_byte_of_a_lock_is_found(verified, with_sample, lock):
    """Of each kind of line, before a run or by what a fresh run says: here, the lock as it was."""
    path, whole = verified / lock, (verified / lock).read_bytes()
    lines = whole.splitlines(keepends=True)
    keys = {b"schema", b"cmd", b"- path", b"hash", b"md5", b"size", b"nfiles", b"seed", b"lr"}
    firsts = {number: line.partition(b":")[0] for number, line in enumerate(lines)}
    kinds = {key: number for number, key in firsts.items() if key.strip() in keys}
    for kind, number in kinds.items():
        forged = bytearray(lines[number])
        forged[len(kind) - 1 if number % 3 else -2] ^= 1
        path.write_bytes(b"".join([*lines[:number], forged, *lines[number + 1 :]]))
        assert found_in(verified, with_sample), forged
    path.write_bytes(whole)
    assert not found_in(verified, with_sample)


def found_in(forged, fresh):
    try:
        return unlike_the_locks(forged) or locks_apart(forged, fresh, [])
    except InputError:
        return True


def test_a_forged_byte_of_a_record_is_found(verified):
    """Of each record, at any place."""
    folder = verified / "results/provenance"
    assert unlike_their_checksums(folder) == []
    for path in folder.glob("*.json"):
        whole = path.read_bytes()
        for place in range(0, len(whole), 37):
            flip(path, place)
            assert unlike_their_checksums(folder) == [path.name]
        path.write_bytes(whole)


def without(lock, *names):
    content = yaml.safe_load(lock.read_text())
    for name in names:
        del content["stages"][name]
    lock.write_text(yaml.safe_dump(content, sort_keys=False))


def test_a_lock_without_a_stage_is_found(verified):
    """One that holds only `prepare` proves nothing of the others."""
    without(verified / "dvc.lock", "train-shallow", "train-deep", "evaluate")
    found = {one.stage for one in unlike_the_locks(verified) if one.what == "the stage"}
    assert found == {"train-shallow", "train-deep", "evaluate"}


def test_a_lock_without_an_output_or_with_one_too_many_is_found(verified):
    """Both ways: what dvc.yaml says and the lock does not, and the other way round."""
    lock = verified / "dvc.lock"
    lock.write_text(lock.read_text().replace("path: results/plots/roc.csv", "path: results/x.csv"))
    found = {one.what for one in unlike_the_locks(verified)}
    assert found == {"results/plots/roc.csv", "results/x.csv"}


def test_a_parameter_that_the_lock_does_not_have_is_found(verified):
    """Neither another value nor another set of parameters."""
    params = verified / "params.yaml"
    params.write_text(params.read_text().replace("lr: 0.01", "lr: 0.011"))
    found = [(one.stage, one.what, one.locked, one.committed) for one in unlike_the_locks(verified)]
    assert ("train-deep", "params.yaml: lr", "0.01", "0.011") in found


def test_a_forged_commit_ends_before_anything_is_run(verified, tmp_path):
    """Here the verdict and a mean, with the lock as it was; JSON holds it too."""
    path = verified / "results/metrics.json"
    path.write_text(re.sub(r'"verdict": "\w+"', '"verdict": "equal"', path.read_text()))
    commit(verified)
    report = tmp_path / "findings.json"
    said = run(verified, *VERIFY, "--json", str(report), status=1).splitlines()
    assert said[0].startswith("verify: dvc.lock: evaluate: results/metrics.json: the lock: ")
    assert said[1] == "verify: 1 committed things are not as the locks say; not run"
    content = json.loads(report.read_text())
    assert [one["what"] for one in content["committed"]] == ["results/metrics.json"]
    assert content["run"] is False


def test_a_clean_run_gives_the_committed_bits_whatever_is_varied(verified, tmp_path):
    """From a worktree's subfolder: threads, locale, time zone, umask, path, instruction sets."""
    worktree, report = tmp_path / "a worktree", tmp_path / "findings.json"
    run(verified, "git", "worktree", "add", "--quiet", "-b", "other", str(worktree))
    with_environment(worktree)
    shown = run(worktree / "docs", *VERIFY, "--randomize", "7", "--json", str(report))
    assert re.search(r"verify: 27 outputs: same bits", shown)
    content = json.loads(report.read_text())
    assert {finding["verdict"] for finding in content["findings"]} == {"same bits"}
    assert content["randomized"]["seed"] == 7
    assert content["randomized"]["varied"]["TZ"] == randomized(7)[0]["TZ"]
    assert content["committed"] == content["locks"] == content["edited_meanwhile"] == []


def test_results_that_the_code_does_not_give_are_found(verified):
    """Somebody has tuned a parameter, and mended the lock by hand, in another's subfolder."""
    params, lock = verified / "params.yaml", verified / "dvc.lock"
    before = run(verified, "md5sum", "params.yaml").split()[0]
    params.write_text(params.read_text().replace("lr: 0.01 ", "lr: 0.02 "))
    text = lock.read_text().replace("lr: 0.01\n", "lr: 0.02\n")
    lock.write_text(text.replace(before, run(verified, "md5sum", "params.yaml").split()[0]))
    shutil.rmtree(verified / "results/provenance")  # they would say so
    shutil.rmtree(verified / ".git")
    top = verified.parent / "of another"
    top.mkdir()
    run(top, "git", "init", "--quiet")
    for name, value in (("name", "Tester"), ("email", "tester@example.org")):
        run(top, "git", "config", f"user.{name}", value)
    project = verified.rename(top / "a project")
    commit(top)
    run(top, "chown", "--recursive", "12345", str(top))
    shown = run(project, *VERIFY, status=1)
    assert re.search(r"train-deep +models/deep.pt +(different|within)", shown)
    assert re.search(r"prepare +data/prepared +same bits", shown)
    assert re.search(r"verify: \d+ of 27 outputs are different", shown)


def fake(folder, *, metrics, md5):
    (folder / "results").mkdir(parents=True)
    (folder / "results/metrics.json").write_text(metrics)
    out = f"{{path: results/metrics.json, md5: '{md5}'}}"
    (folder / "dvc.lock").write_text(
        f"schema: '2.0'\nstages: {{evaluate: {{cmd: x, outs: [{out}]}}}}\n"
    )
    return folder


def test_numbers_may_be_within_tolerance(tmp_path):
    """And it is said by how much; another text is different, however small its numbers are."""
    from hashlib import md5

    text = '{"accuracy": 0.5, "verdict": "deep"}'
    old = fake(tmp_path / "old", metrics=text, md5=md5(text.encode()).hexdigest())
    for number, (metrics, verdict) in enumerate(
        [
            (text.replace("0.5", "0.5003"), "within tolerance"),
            (text.replace("0.5", "0.6"), "different"),
            (text.replace("deep", "shallow"), "different"),
        ]
    ):
        new = fake(tmp_path / str(number), metrics=metrics, md5="0" * 32)
        (finding,) = held_together(old, new, cache=tmp_path)
        assert finding.verdict == verdict
        assert (finding.difference is None) == ("shallow" in metrics)
        assert locks_apart(old, new, [finding]) == []


def test_an_output_that_a_fresh_run_does_not_make_is_named(tmp_path):
    """A stage that is frozen is not run at all."""
    old = fake(tmp_path / "old", metrics="{}", md5="0" * 32)
    (tmp_path / "new").mkdir()
    (finding,) = held_together(old, tmp_path / "new", cache=tmp_path)
    assert finding.verdict == "not made"


def test_an_input_that_was_edited_meanwhile_is_named(verified):
    """What a stage has read is not what DVC hashed afterwards."""
    assert edited_meanwhile(verified) == []
    path = verified / "results/provenance/train-deep.json"
    content = json.loads(path.read_text())
    content["inputs"]["stages/train.py"] = "0" * 32
    path.write_text(json.dumps(content))
    assert edited_meanwhile(verified) == ["train-deep: stages/train.py"]


def test_outside_of_a_project_it_is_one_line(tmp_path):
    """It says where to run it."""
    assert "no dvc.yaml here" in run(tmp_path, *VERIFY, status=1)
