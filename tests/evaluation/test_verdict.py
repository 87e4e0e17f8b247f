"""The verdict is that of the interval, in a word and in a sentence."""

import json

import pytest
import yaml
from checkouts import ROOT

from shallowdeep.evaluation.intervals import Difference, Interval
from shallowdeep.evaluation.metrics import parsed
from shallowdeep.evaluation.verdict import sentence, verdict


def test_a_verdict_names_the_model_that_is_better():
    """By the sign of a difference that leaves 0 out."""
    assert verdict(Difference(0.02, 0.01, 0.03, 0.001), runs=10) == "deep"
    assert verdict(Difference(-0.02, -0.03, -0.01, 0.001), runs=10) == "shallow"
    assert verdict(Difference(0.02, -0.01, 0.05, 0.2), runs=10) == "undecided"
    assert verdict(Difference(0.02, 0.01, 0.03, 0.001), runs=1) == "undecided"


def said(*, deep, shallow, low, high, runs=10, alpha=0.05):
    accuracies = {"deep": Interval(deep, 0, 0, 1), "shallow": Interval(shallow, 0, 0, 1)}
    difference = Difference(deep - shallow, low, high, 0.5)
    return sentence(accuracies, difference, runs=runs, alpha=alpha)


def test_an_undecided_verdict_says_how_far_it_may_be_off():
    """Both ways, in points."""
    found = said(deep=0.57, shallow=0.572, low=-0.04, high=0.036)
    assert found.startswith("These pictures cannot tell whether depth helps")
    assert "57.0 %" in found
    assert "4.0 points for the shallow network to 3.6 for the deep one" in found


@pytest.mark.parametrize(
    ("better", "deep", "low", "high", "ahead"),
    [
        ("deep", 0.65, 0.01, 0.09, "1.0 to 9.0"),
        ("shallow", 0.55, -0.09, -0.01, "1.0 to 9.0"),
    ],
)
def test_a_verdict_says_who_is_ahead_and_by_how_much(better, deep, low, high, ahead):
    """With the confidence that alpha means."""
    found = said(deep=deep, shallow=0.6, low=low, high=high, alpha=0.1)
    assert f"the {better} network is better" in found
    assert found.endswith(f"with 90 % confidence it is ahead by {ahead} points.")


def test_one_run_cannot_tell():
    """Whatever its interval says."""
    found = said(deep=0.7, shallow=0.6, low=0.01, high=0.19, runs=1)
    assert "another seed may turn that round" in found


def test_the_readme_has_the_verdict_of_the_committed_run():
    """A new committed run with another result must change it."""
    metrics = parsed(json.loads((ROOT / "results/metrics.json").read_text()))
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    readme = " ".join((ROOT / "README.md").read_text().replace("> ", "").split())
    accuracies = {name: scores["test"]["accuracy"] for name, scores in metrics.models.items()}
    difference = metrics.difference["test"]["accuracy"]
    assert sentence(accuracies, difference, runs=params["runs"], alpha=params["alpha"]) in readme
