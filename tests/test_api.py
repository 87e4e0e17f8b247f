"""In Python: results as tables, and anyone's predictions compared as ours are."""

import contextlib
import io
import json
from importlib.metadata import version

import numpy as np
import pandas as pd
import pytest
from checkouts import ROOT, run

import shallowdeep
from shallowdeep.files.errors import InputError


def arrays(of):
    """Labels, folds and both networks' predictions [R, N] of `results`."""
    by_model = {
        name: table.pivot(index="run", columns="path", values="probability")
        for name, table in of.predictions.groupby("model")
    }
    paths = list(by_model["deep"].columns)
    manifest = of.manifest.set_index("path").loc[paths]
    return manifest["label"], manifest["fold"], by_model["deep"], by_model["shallow"]


def test_results_are_those_of_the_files(miniature, monkeypatch):
    """Of the workspace; of a network as many rows as fold, run and epoch, or picture and run."""
    monkeypatch.chdir(miniature)
    found = shallowdeep.results()
    assert found.metrics == json.loads((miniature / "results/metrics.json").read_text())
    assert found.verdict == found.metrics["verdict"]
    pd.testing.assert_frame_equal(found.scores, pd.read_csv(miniature / "results/scores.csv"))
    assert found.history.groupby("model").size().to_dict() == dict.fromkeys(
        ("deep", "shallow"), 10 * 2 * 2
    )
    assert found.predictions.groupby("model").size().to_dict() == dict.fromkeys(
        ("deep", "shallow"), 40 * 2
    )
    assert len(found.manifest) == 40


def test_a_comparison_says_of_arrays_what_evaluate_says_of_networks(miniature):
    """The same score, interval, p-value and verdict."""
    found = shallowdeep.results(repository=str(miniature))
    compared = shallowdeep.compare(*arrays(found), trained=32, names=("deep", "shallow"))
    expected = found.metrics["difference"]["balanced_accuracy"]
    assert compared.difference._asdict() == pytest.approx(
        expected | {"std": compared.difference.std}, abs=1e-6
    )
    low = found.metrics["deep"]["balanced_accuracy"]["low"]
    assert compared.scores["deep"].low == pytest.approx(low, abs=1e-6)
    assert compared.verdict == found.verdict
    assert (
        "Trained on 32 pictures like these" in compared.sentence or "of them" in compared.sentence
    )


def test_results_of_a_revision_come_from_git_and_the_cache(longer, monkeypatch):
    """An experiment of three epochs by its name, and the commit before it."""
    monkeypatch.chdir(longer)
    assert set(shallowdeep.results("longer").history["epoch"]) == {1, 2, 3}
    assert set(shallowdeep.results("HEAD").history["epoch"]) == {1, 2}


def test_groups_widen_the_interval():
    """Ten copies of each sample are no ten samples; names may be of any kind."""
    rng = np.random.default_rng(0)
    labels, folds = np.arange(60) % 2, np.arange(60) // 2 % 5
    first, second = np.tile(rng.random((2, 1, 60)), (3, 1))
    alone = shallowdeep.compare(labels, folds, first, second, trained=48)
    copies = [np.tile(one, 10) for one in (labels, folds, first, second)]
    names = np.tile([f"patient {number}" for number in range(60)], 10)
    grouped = shallowdeep.compare(*copies, trained=480, groups=names).difference
    single = shallowdeep.compare(*copies, trained=480).difference
    assert grouped.high == pytest.approx(alone.difference.high, abs=0.02)
    assert single.high - single.low < (grouped.high - grouped.low) / 1.5


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": [0, 1, 2, 0]}, "labels: 2 is not 0 or 1"),
        (
            {"labels": ["cat"] * 4},
            "labels: 'cat' is not a whole number; map the classes to 0 and 1",
        ),
        ({"folds": [0, 0, 0]}, "folds: 3 values for 4 labels"),
        ({"groups": [[0, 0, 1, 1]]}, r"groups: shape \[1, 4\]; it must be \[N\]"),
        ({"first": [0.5] * 4}, r"first: shape \[4\]; it must be \[R, 4\]"),
        ({"second": np.full((3, 4), 0.5)}, "first, second: not the same number of runs"),
        ({"first": np.full((2, 4), 1.5)}, "probabilities: 8 of 8 are not from 0 to 1"),
        ({"labels": [0, 0, 0, 1]}, "a split has 1 of the pictures of class 1"),
        ({"trained": 0}, "trained: 0 is not a whole number of at least 1"),
        ({"trained": "8"}, "trained: '8' is not a whole number"),
        ({"alpha": 1.5}, "alpha: 1.5 is not above 0 and at most 0.5"),
        ({"equivalence_margin": 2}, "equivalence_margin: 2 is not from 0 to 0.5"),
        ({"names": ("a", "a")}, "names: .* are not two different names"),
        ({"names": ("equal", "a")}, "names: .* or one is a verdict"),
        ({"first": [["a"] * 4]}, "first: not an array of numbers"),
        ({"first": np.empty((0, 4))}, r"first: shape \[0, 4\]"),
        ({"labels": [0, 0.5, 1, 1]}, "labels: 0.5 is not a whole number"),
        ({"labels": [0, float("nan"), 1, 1]}, "labels: nan is not a whole number"),
        ({"groups": [1, None, 2, 3]}, "groups: some are missing"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changed, message):
    """One line that names the argument."""
    given = {"labels": [0, 0, 1, 1], "folds": [0] * 4, "trained": 8}
    given |= dict.fromkeys(("first", "second"), np.full((2, 4), 0.5)) | changed
    with pytest.raises(InputError, match=message):
        shallowdeep.compare(**given)


def test_stale_and_damaged_results_are_refused(project, monkeypatch):
    """As `compare` does: those of other parameters, and files that are none of this project's."""
    monkeypatch.chdir(project)
    path = project / "params.yaml"
    was = path.read_text()
    path.write_text(was.replace("runs: 2", "runs: 3", 1))
    with pytest.raises(InputError, match=r"these results are of runs 2, not 3; `dvc repro`"):
        shallowdeep.results()
    path.write_text(was)
    shallowdeep.results()
    (project / "results/scores.csv").write_text("")
    with pytest.raises(InputError, match=r"^the workspace: damaged, or not of this project"):
        shallowdeep.results()


def test_a_clone_without_dvc_s_cache_says_what_makes_results(miniature, tmp_path):
    """Nothing was pulled yet."""
    run(tmp_path, "git", "clone", "--quiet", str(miniature), "clone")
    with pytest.raises(InputError, match=r"^the workspace: .*; `dvc repro` makes it$"):
        shallowdeep.results(repository=str(tmp_path / "clone"))


def test_a_revision_without_results_is_one_line(miniature):
    """It names the revision."""
    with pytest.raises(InputError, match=r"^nowhere: unknown Git revision"):
        shallowdeep.results("nowhere", repository=str(miniature))


def test_the_version_is_that_of_the_package():
    """In Python and on the command line."""
    assert shallowdeep.__version__ == version("shallowdeep")
    shown = run(ROOT, "python", "-m", "shallowdeep", "--version")
    assert shown.strip() == f"shallowdeep {shallowdeep.__version__}"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = shallowdeep.nothing


def test_the_notebook_prints_what_it_shows(miniature, monkeypatch):
    """Each cell runs in the order of docs/python.ipynb; the numbers are of made-up arrays."""
    monkeypatch.chdir(miniature)
    cells = json.loads((ROOT / "docs/python.ipynb").read_text())["cells"]
    names: dict[str, object] = {}
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec("".join(cell["source"]), names)
        shown = "".join(line for output in cell["outputs"] for line in output["text"])
        if "seen" not in cell["metadata"].get("tags", []):  # of the sample, not of this project
            assert printed.getvalue() == shown
