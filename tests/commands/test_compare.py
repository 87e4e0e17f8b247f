"""compare: a change is real where the intervals say so."""

import pytest
from checkouts import run
from scipy.stats import binomtest

from shallowdeep.commands.compare import Side, change, changes, shown
from shallowdeep.evaluation.intervals import Difference, Interval
from shallowdeep.evaluation.metrics import Metrics
from shallowdeep.files.errors import InputError


def wilson(successes, trials):
    low, high = binomtest(successes, trials).proportion_ci(method="wilson")
    return Interval(successes / trials, 0.0, low, high)


def test_the_interval_of_a_change_is_the_published_one():
    """56/70 against 48/80: Newcombe 1998, Statistics in Medicine 17, table II (a), method 10."""
    one = change("accuracy", wilson(48, 80), wilson(56, 70))
    assert (round(one.low, 4), round(one.high, 4)) == (0.0524, 0.3339)
    assert one.real


def test_the_other_way_round_it_is_the_same_change():
    """From TO to FROM only the sign turns."""
    there = change("accuracy", wilson(48, 80), wilson(56, 70))
    back = change("accuracy", wilson(56, 70), wilson(48, 80))
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))


def experiment(*, accuracy, runs=10, alpha=0.05, name="one", size=128):
    score = Interval(accuracy, 0.0, accuracy - 0.03, accuracy + 0.04)
    difference = Difference(accuracy, accuracy - 0.03, accuracy + 0.04, 0.5)
    metrics = Metrics(
        models={"deep": {"test": {"accuracy": score}}},
        first_run={"deep": accuracy},
        difference={"test": {"accuracy": difference}},
        verdict="undecided",
    )
    return Side(name, metrics, runs, alpha, {"size": size})


@pytest.mark.parametrize(("to", "marks"), [(0.56, 0), (0.7, 2)])
def test_only_what_is_beyond_chance_is_marked(to, marks):
    """A change within both margins is not, one well beyond them is."""
    before, after = experiment(accuracy=0.55), experiment(accuracy=to)
    said = shown(before, after, changes(before, after, splits=("test",)))
    assert sum(line.endswith("  real") for line in said.splitlines()) == marks
    assert "verdict: undecided -> undecided" in said


def test_one_run_marks_nothing():
    """However large the change: another seed may turn it round."""
    before, after = experiment(accuracy=0.55), experiment(accuracy=0.95, runs=1)
    said = shown(before, after, changes(before, after, splits=("test",)))
    assert "  real" not in said
    assert "One run" in said


def test_other_pictures_are_told():
    """Scores of other pictures, or of pictures that were prepared in another way."""
    before, after = experiment(accuracy=0.55), experiment(accuracy=0.55, size=64)
    assert "not the same ones, or not prepared alike: size\n" in shown(before, after, [])
    assert "prepared alike" not in shown(before, before, [])


def test_intervals_of_different_confidence_are_refused():
    """The message names both."""
    with pytest.raises(InputError, match=r"alpha is 0\.05 in one and 0\.1 in two"):
        changes(
            experiment(accuracy=0.5),
            experiment(accuracy=0.6, alpha=0.1, name="two"),
            splits=("test",),
        )


def test_experiments_revisions_and_the_workspace_can_be_compared(longer):
    """As `make compare` does; a wrong name is one line."""
    project = longer
    command = ("python", "-m", "shallowdeep", "compare")
    of_workspace = run(project, *command)
    assert "deep.test.accuracy" in of_workspace
    of_experiment = run(project, *command, "HEAD", "longer")
    assert of_experiment.split()[2:] == of_workspace.split()[2:]  # but for the name
    assert "deep.train.log_loss" in run(project, *command, "HEAD", "longer", "--all")
    assert run(project, *command, "nothing", status=1) == (
        "compare: nothing: unknown Git revision 'nothing'\n"
    )
    empty = project.parent / "empty"
    empty.mkdir(exist_ok=True)
    assert "no dvc.yaml here" in run(empty, *command, status=1)
