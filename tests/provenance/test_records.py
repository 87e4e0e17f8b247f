"""A stage leaves a record of its inputs and outputs, as DVC hashes them."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from checkouts import run
from in_process import dvc_main

from shallowdeep.files.errors import InputError
from shallowdeep.provenance.dvc_stage import DvcStage
from shallowdeep.provenance.records import FOLDER, Run, read_all


@pytest.fixture
def toy(tmp_path) -> Path:
    """A project of DVC with one stage, which reads a file and a folder."""
    dvc_main(tmp_path, "init", "--no-scm", "--quiet")
    text = "stages: {x: {cmd: x, deps: [code, folder], outs: [out]}}"
    (tmp_path / "dvc.yaml").write_text(text)
    (tmp_path / "code").write_text("old")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a").write_text("a")
    return tmp_path


def test_every_stage_leaves_a_record_with_the_hashes_of_dvc(miniature):
    """They cover all inputs and outputs, of `models` each file; git ignores the records."""
    found, stages = read_all(miniature / FOLDER), set()
    for folder in ("", "data"):
        lock = yaml.safe_load((miniature / folder / "dvc.lock").read_text())["stages"]
        stages |= set(lock)
        for stage, content in lock.items():
            read, written = (
                {os.path.normpath(Path(folder) / one["path"]): one["md5"] for one in content[kind]}
                for kind in ("deps", "outs")
            )
            read.pop("models", None)
            assert found[stage].inputs.items() >= read.items()
            assert found[stage].outputs == written
    trained = found["train-deep"].outputs | found["train-shallow"].outputs
    assert found["evaluate"].inputs.items() >= trained.items()
    assert set(found) == stages
    assert run(miniature, "git", "ls-files", str(FOLDER)) == ""
    assert "provenance/" not in (miniature / "dvc.lock").read_text()


def test_a_record_has_commit_machine_versions_and_time(miniature):
    """The commit's differences are named; the arithmetic is pinned."""
    record = read_all(miniature / FOLDER)["train-deep"]
    head = run(miniature, "git", "rev-list", "--max-parents=0", "HEAD").strip()
    assert record.git.commit == head  # the miniature's first commit: it ran before the second
    assert "params.yaml" in record.git.changed
    assert record.seconds > 0
    where = record.environment
    assert where.packages["torch"] and where.arithmetic["MKL_CBWR"] == "COMPATIBLE"
    assert where.cores >= 1 and where.threads == 1


def test_a_stage_is_found_by_its_file_and_name(toy):
    """Another file may have a stage of the same name."""
    (toy / "data").mkdir()
    (toy / "data/dvc.yaml").write_text("stages: {x: {cmd: x, deps: [other], outs: [made]}}")
    found = DvcStage("data/dvc.yaml:x", toy)
    assert (found.inputs, found.outputs) == (["data/other"], ["data/made"])
    assert DvcStage("x", toy).outputs == ["out"]
    with pytest.raises(InputError, match=r"^y is no stage of dvc\.yaml$"):
        DvcStage("y", toy)


@pytest.mark.parametrize(("name", "input_"), [("code", "code"), ("folder/a", "folder")])
def test_an_edit_while_a_stage_runs_is_refused(toy, name, input_):
    """A file that is only touched is not; the hashes are those of the start, not of the check."""
    unasked, stage = Run(DvcStage("x", toy)), Run(DvcStage("x", toy))
    before = dict(stage.inputs)
    os.utime(toy / name, (1, 1))
    stage.check_unchanged()
    (toy / name).write_text("new")
    for one in (stage, unasked):
        with pytest.raises(InputError, match=f"^{input_} has changed while this stage ran"):
            one.check_unchanged()
    assert stage.record.inputs == before
    assert Run(DvcStage("x", toy)).inputs[input_] != before[input_]


def test_a_failed_stage_leaves_no_record(toy):
    """The record of the run before goes too, as its outputs do; what is missing has no hash."""
    (toy / "out").write_text("made")
    Run(DvcStage("x", toy)).finish()
    assert read_all(toy / FOLDER)["x"].outputs == DvcStage("x", toy).hashes(["out"])
    Run(DvcStage("x", toy))
    assert read_all(toy / FOLDER) == {}
    os.mkfifo(toy / "pipe")
    (toy / "out").unlink()
    assert DvcStage("x", toy).hashes(["out", "pipe"]) == {"out": None, "pipe": None}


def test_a_stage_run_by_hand_leaves_no_record(tmp_path, monkeypatch):
    """Nothing is hashed, checked or written."""
    monkeypatch.chdir(tmp_path)
    by_hand = Run(None)
    by_hand.check_unchanged()
    by_hand.finish()
    assert by_hand.inputs == {} and not list(tmp_path.iterdir())


def test_a_damaged_record_is_left_out(miniature, tmp_path):
    """So is one of another version; the others are read."""
    folder = shutil.copytree(miniature / FOLDER, tmp_path / "records")
    others = {"sample", "oxford-pets", "check", "prepare", "train-shallow", "train-deep"}
    assert set(read_all(folder)) == {*others, "evaluate"}
    whole = (folder / "evaluate.json").read_text()
    for damaged in (
        whole[: len(whole) // 2],
        "3",
        '{"stage": "prepare", "git": null, "environment": {}}',
        json.dumps(json.loads(whole) | {"colour": "red"}),
        json.dumps(json.loads(whole) | {"environment": []}),
    ):
        (folder / "evaluate.json").write_text(damaged)
        assert set(read_all(folder)) == others
