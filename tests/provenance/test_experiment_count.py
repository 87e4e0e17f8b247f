"""Experiments on the same pictures are counted by DVC's run cache."""

import hashlib
import json
import re
import time
from pathlib import Path

import pytest
from checkouts import run
from dvc.repo import Repo
from in_process import dvc_main

from shallowdeep.evaluation.verdict import QUESTION
from shallowdeep.provenance.experiment_count import METRICS, count_experiments


def experiments(project: Path) -> int:
    """Count as the stage `evaluate` does."""
    with Repo(str(project)) as repo:
        metrics = json.loads((project / METRICS).read_text())
        return count_experiments(repo, metrics, QUESTION)


def runs(project: Path) -> list[Path]:
    """Entries of the run cache that are evaluations."""
    entries = (project / ".dvc/cache/runs").glob("*/*/*")
    return [one for one in entries if "stages/evaluate.py" in one.read_text()]


def stored(project: Path, content: str, name: str) -> str:
    """Put a file into DVC's cache under a made-up hash."""
    md5 = hashlib.md5(name.encode()).hexdigest()
    path = project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return md5


def add(project: Path, name: str, metrics: object) -> None:
    """Add an evaluation with other metrics to the run cache."""
    text = runs(project)[0].read_text()
    md5 = stored(project, json.dumps(metrics), name)
    text = re.sub(rf"(- path: {METRICS}\n  hash: md5\n  md5: )\w+", rf"\g<1>{md5}", text)
    (runs(project)[0].parent / name).write_text(text)


def test_each_experiment_on_the_same_pictures_counts_once(longer_project):
    """Those of queues and of other seeds count too; other pictures begin anew."""
    assert experiments(longer_project) == 2
    text = (longer_project / "stages/evaluate.py").read_text()
    (longer_project / "stages/evaluate.py").write_text(f"{text}# the same\n")
    run(longer_project, "dvc", "repro")
    assert experiments(longer_project) == 2
    run(longer_project, "dvc", "exp", "run", "--temp", "-S", "seed=7")
    assert experiments(longer_project) == 3
    dvc_main(longer_project, "exp", "run", "-S", "data.size=12")
    assert experiments(longer_project) == 1


def test_intervals_and_further_networks_are_no_other_experiment(project):
    """Other scores of the two networks of the question are one."""
    metrics = json.loads((project / METRICS).read_text())
    add(project, "further", metrics | {"wide": metrics["deep"]})
    other = json.loads((project / METRICS).read_text())
    other["deep"]["balanced_accuracy"]["low"] -= 0.01
    add(project, "alpha", other)
    assert experiments(project) == 1
    other["deep"]["log_loss"] += 0.01
    add(project, "other", other)
    assert experiments(project) == 2


def test_hundreds_of_experiments_take_no_time(project):
    """A fraction of a second for 500 of them."""
    metrics = json.loads((project / METRICS).read_text())
    for number in range(500):
        metrics["deep"]["log_loss"] = number
        add(project, f"{number:o}", metrics)
    experiments(project)
    start = time.process_time()
    assert experiments(project) > 100
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe", b"cmd: python stages/evaluate.py\ndeps: []\n", b""]
)
def test_a_broken_or_foreign_entry_counts_nothing(project, damage):
    """A file that is no entry of a run."""
    folder = project / ".dvc/cache/runs/aa/bb"
    folder.mkdir(parents=True)
    (folder / "cc").write_bytes(damage)
    assert experiments(project) == 1


def test_without_the_cache_there_is_one_experiment(project):
    """After `dvc gc`, for example."""
    run(project, "rm", "-r", "-f", ".dvc/cache/files")
    assert experiments(project) == 1
