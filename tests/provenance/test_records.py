"""A stage writes down what made its outputs, as DVC hashes it, and beside them only."""

import json
import os
from pathlib import Path

import pytest
import yaml
from checkouts import run

from shallowdeep.provenance.dvc_hash import md5
from shallowdeep.provenance.records import read_all, recorded, write


def records(project):
    return {
        path.stem: json.loads(path.read_text())
        for path in (project / "results/provenance").glob("*.json")
    }


def test_every_stage_leaves_a_record_with_the_hashes_of_dvc(project):
    """Of everything that it read and wrote, folders too; git and dvc.lock know nothing of it."""
    run(project, "dvc", "repro", "data/dvc.yaml:sample")
    found = records(project)
    stages = set()
    for folder in ("", "data"):
        lock = yaml.safe_load((project / folder / "dvc.lock").read_text())["stages"]
        stages |= set(lock)
        for stage, content in lock.items():
            read, written = (
                {os.path.normpath(Path(folder) / one["path"]): one["md5"] for one in content[kind]}
                for kind in ("deps", "outs")
            )
            assert found[stage]["inputs"].items() >= read.items()
            assert found[stage]["outputs"] == written
    assert set(found) == stages
    assert run(project, "git", "ls-files", "results/provenance") == ""
    assert "provenance/" not in (project / "dvc.lock").read_text()


def test_a_record_says_where_and_of_what(project):
    """Commit and what differs from it, machine, versions, time."""
    content = records(project)["train-deep"]
    head = run(project, "git", "rev-list", "--max-parents=0", "HEAD").strip()
    assert (
        content["git"]["commit"] == head
    )  # the miniature's first commit: it ran before the second
    assert "params.yaml" in content["git"]["changed"]
    assert content["seconds"] > 0
    environment = content["environment"]
    assert environment["packages"]["torch"]
    assert environment["arithmetic"]["MKL_CBWR"] == "COMPATIBLE"
    assert environment["cores"] >= 1
    assert environment["threads"] == 1  # of params.yaml


def test_an_edit_while_a_stage_runs_is_seen(tmp_path, monkeypatch):
    """The record has the hash of what was there at the start."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {x: {cmd: x, deps: [code], outs: [out]}}")
    (tmp_path / "params.yaml").write_text("data: {dir: pictures}")
    (tmp_path / "code").write_text("old")
    before = md5(tmp_path / "code")
    with recorded("x"):
        (tmp_path / "code").write_text("new")
        (tmp_path / "out").write_text("made")
    content = records(tmp_path)["x"]
    assert content["inputs"]["code"] == before != md5(tmp_path / "code")
    assert content["outputs"] == {"out": md5(tmp_path / "out")}


def test_a_failed_stage_leaves_no_record(tmp_path, monkeypatch):
    """Nor the one of the run before, whose outputs are gone."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {x: {cmd: x, deps: [], outs: [out]}}")
    (tmp_path / "params.yaml").write_text("data: {dir: pictures}")
    with recorded("x"):
        pass
    assert set(records(tmp_path)) == {"x"}
    with pytest.raises(RuntimeError), recorded("x"):
        raise RuntimeError
    assert records(tmp_path) == {}


def test_what_is_no_stage_leaves_no_record(tmp_path, monkeypatch):
    """Another folder than the stage's, drawn by hand; a dvc.yaml of somebody else's."""
    monkeypatch.chdir(tmp_path)
    for content in ("stages: {sample: {cmd: x, deps: [], outs: [sample]}}", "[", "stages: {}", "1"):
        (tmp_path / "dvc.yaml").write_text(content)
        with recorded("sample", output=Path("elsewhere")) as read:
            assert read is None
    assert records(tmp_path) == {}


def test_a_missing_file_has_no_hash(tmp_path):
    """It is None rather than an error: the stage itself says what is wrong."""
    assert md5(tmp_path / "nothing") is None


def test_records_of_another_version_say_nothing(tmp_path, project):
    """And a damaged one; the others are read as they were written."""
    folder = project / "results/provenance"
    whole = read_all(folder)
    assert set(whole) == {"prepare", "train-shallow", "train-deep", "evaluate"}
    write(whole["prepare"], tmp_path / "prepare.json")
    assert read_all(tmp_path) == {"prepare": whole["prepare"]}
    (folder / "prepare.json").write_text('{"stage": "prepare", "git": null, "environment": {}}')
    (folder / "evaluate.json").write_text("[")
    (folder / "train-deep.json").write_text("3")
    assert read_all(folder) == {"train-shallow": whole["train-shallow"]}
