"""compare: two experiments side by side, their networks held against each other."""

import json
import re

import numpy as np
from checkouts import run
from in_process import told

from shallowdeep.commands.compare import compared, shown
from shallowdeep.commands.experiments import Experiment
from shallowdeep.evaluation.change import ExperimentPredictions
from shallowdeep.evaluation.intervals import Design
from shallowdeep.settings import params


def experiment(project, *, runs=3, right=0.6, name="one", count=1):
    """An experiment with predictions for 200 pictures, a share of them right."""
    rng, labels = np.random.default_rng(0), np.arange(200) % 2
    hit = rng.random((runs, 200)) < right
    given = dict.fromkeys(("shallow", "deep"), np.where(hit == labels, 0.8, 0.2))
    design = Design(labels, np.zeros(200, np.int64), 800)
    pictures = np.array([f"{number:03}" for number in range(200)])
    settings = params.read(project / "params.yaml").model_copy(update={"runs": runs})
    predictions = ExperimentPredictions(pictures, design, 0, given)
    return Experiment(name, settings, "undecided", {}, predictions, count)


def table_of(before, after, *, markdown=False):
    return shown(before, after, *compared(before, after), markdown=markdown)


def test_what_is_beyond_chance_is_marked(miniature):
    """The lines below explain the marks and count the experiments."""
    before = experiment(miniature)
    table = table_of(before, experiment(miniature, right=0.9, name="two", count=10))
    real = re.findall(r"^(?:shallow|deep|  +) +(.*?)  .* real$", table, re.MULTILINE)
    assert len(real) == 10 and "F1" not in real  # of both networks all scores but F1
    assert "verdict: undecided -> undecided" in table
    assert "95 % confidence for all of this table together" in table
    assert "compared by picture and by run" in table
    assert "tried 10 experiments on these pictures" in table
    assert " real\n" not in table_of(before, before)


def test_one_run_marks_nothing(miniature):
    """However large the change: another seed may turn it round."""
    once = experiment(miniature, right=0.95, runs=1)
    table = table_of(experiment(miniature, runs=1), once)
    assert " real\n" not in table and "One run" in table


def test_markdown_is_for_a_pull_request(miniature):
    """First the verdict before and after, then the difference, then a table."""
    table = table_of(experiment(miniature), experiment(miniature, name="two"), markdown=True)
    lines = table.splitlines()
    assert lines[:2] == ["verdict: undecided -> undecided", ""]
    assert lines[2].startswith("deep minus shallow: +0.0 -> +0.0 points, a change of +0.0 (-")
    assert lines[3] == "" and lines[4].startswith("|") and lines[5].startswith("|:--")


def test_experiments_revisions_and_the_workspace_can_be_compared(
    longer_project, monkeypatch, capsys
):
    """As `make compare` does; a wrong name is one line."""
    monkeypatch.chdir(longer_project)
    assert told("compare") == ""
    of_workspace = capsys.readouterr().out
    assert "deep minus shallow" in of_workspace
    assert told("compare", "HEAD", "longer") == ""
    of_experiment = capsys.readouterr().out
    other = of_workspace.replace("workspace", "longer   ")  # the name
    assert of_experiment.split() == other.split()
    before = run(longer_project, "git", "show", "HEAD:results/metrics.json")
    texts = (before, (longer_project / "results/metrics.json").read_text())
    means = [json.loads(text)["deep"]["balanced_accuracy"]["mean"] for text in texts]
    (line,) = re.findall(r"^deep +balanced accuracy +(\S+) +(\S+)", of_experiment, re.MULTILINE)
    assert line == tuple(f"{mean:.3f}" for mean in means)
    monkeypatch.chdir(longer_project.parent)
    assert "no dvc.yaml here" in told("compare")
