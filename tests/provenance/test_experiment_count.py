"""Experiments on the same pictures are counted by DVC's run cache."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo

from shallowdeep.evaluation.verdict import QUESTION
from shallowdeep.provenance.experiment_count import (
    METRICS,
    PICTURES,
    PREPARED,
    count_experiments,
)


def experiments(project: Path) -> int:
    """Count as the stage `evaluate` does."""
    with Repo(str(project)) as repo:
        metrics = json.loads((project / METRICS).read_text())
        return count_experiments(repo, metrics, QUESTION)


def add(project: Path, one: Path, **contents: object) -> None:
    """Add a run like another to the run cache, in which inputs or outputs have other contents."""
    files, text = project / ".dvc/cache/files/md5", one.read_text()
    for path, content in contents.items():
        name = hashlib.md5(repr(content).encode()).hexdigest()
        (files / name[:2]).mkdir(exist_ok=True)
        (files / name[:2] / name[2:]).write_text(json.dumps(content))
        text, found = re.subn(rf"(- path: {path}\n  hash: md5\n  md5: )\S+", rf"\g<1>{name}", text)
        assert found == 1
    one.with_name(hashlib.md5(text.encode()).hexdigest()).write_text(text)


def test_each_experiment_on_the_same_pictures_counts_once(longer_project):
    """Those of other folds count too; other code, intervals, networks or pictures do not."""
    project = longer_project
    assert experiments(project) == 2
    runs = (project / ".dvc/cache/runs").glob("*/*/*")
    evaluated = next(one for one in runs if "stages/evaluate.py" in one.read_text())
    metrics = json.loads((project / METRICS).read_text())
    lock = (project / "dvc.lock").read_text()
    (md5,) = re.findall(rf"outs:\n    - path: {PREPARED}\n      hash: md5\n      md5: (\S+)", lock)
    listed = json.loads((project / f".dvc/cache/files/md5/{md5[:2]}/{md5[2:]}").read_text())
    by_name = {one["relpath"]: one["md5"] for one in listed}

    def other(**change):
        return [{"md5": md5, "relpath": name} for name, md5 in (by_name | change).items()]

    narrow = metrics["deep"]["balanced_accuracy"] | {"low": 0.1}
    deep = metrics["deep"] | {"balanced_accuracy": narrow}
    worse = metrics | {"deep": deep | {"log_loss": 9.0}}
    for contents, count in (
        ({METRICS: metrics, "stages/evaluate.py": "other code"}, 2),
        ({METRICS: metrics | {"wide": metrics["deep"]}}, 2),
        ({METRICS: metrics | {"deep": deep}}, 2),
        ({METRICS: worse, PREPARED: other(**{PICTURES: "0" * 32})}, 2),
        ({METRICS: worse, PREPARED: other(**{"manifest.csv": "0" * 32})}, 3),
        ({METRICS: metrics | {"deep": deep | {"log_loss": 8.0}}}, 4),
    ):
        add(project, evaluated, **contents)
        assert experiments(project) == count, contents


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe", b"cmd: python stages/evaluate.py\ndeps: []\n", b""]
)
def test_a_broken_or_foreign_entry_counts_nothing(project, damage):
    """A file that is no entry of a run; nor is anything counted after `dvc gc`."""
    folder = project / ".dvc/cache/runs/aa/bb"
    folder.mkdir(parents=True)
    (folder / "cc").write_bytes(damage)
    assert experiments(project) == 1
    shutil.rmtree(project / ".dvc/cache/files")
    assert experiments(project) == 1
