"""The tables behind the charts hold the predictions' curves, shares and means."""

import os

import numpy as np
import pytest
from sklearn import metrics

from shallowdeep.evaluation import tables
from shallowdeep.evaluation.intervals import Design
from shallowdeep.evaluation.split_predictions import SplitPredictions

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 80)
# rounded, so that there are ties
RUNS = np.round(np.clip(0.4 * LABELS + RNG.random((3, 80)) * 0.6, 0, 1), 2)
PROBABILITIES = {"shallow": RUNS, "deep": 1 - RUNS}
TEST = SplitPredictions(Design(LABELS, np.zeros(80, int), 640), np.arange(80), PROBABILITIES)
IN_TWO_FOLDS = TEST._replace(design=Design(LABELS, np.arange(80) % 2, 640))
either = pytest.mark.parametrize("test", [TEST, IN_TWO_FOLDS], ids=["one fold", "two"])


@either
def test_roc_rows_hold_the_mean_of_the_runs(test):
    """At 101 false positive rates, by model, the band inside 0 .. 1; each fold by itself."""
    table = tables.roc(test)
    columns = ["model", "false_positive_rate", "true_positive_rate", "low", "high"]
    assert list(table.columns) == columns and len(table) == 2 * 101
    folds = [test.design.folds == fold for fold in set(test.design.folds)]
    curves = [metrics.roc_curve(LABELS[own], run[own])[:2] for own in folds for run in RUNS]
    expected = np.mean([np.interp(0.3, *curve) for curve in curves])
    row = table[(table.model == "shallow") & (table.false_positive_rate == 0.3)]
    assert row.true_positive_rate.item() == pytest.approx(expected, abs=1e-6)
    bounds = table[["low", "true_positive_rate", "high"]].to_numpy()
    assert (np.diff(bounds, prepend=0, append=1) >= 0).all()


def test_confusion_rows_are_shares_of_the_actual_class():
    """Over all runs, as scikit-learn counts them."""
    table = tables.confusion(TEST, ("cat", "dog"))
    assert list(table.columns) == ["model", "actual", "predicted", "share"]
    labels = np.broadcast_to(LABELS, RUNS.shape).ravel()
    expected = metrics.confusion_matrix(labels, RUNS.ravel() > 0.5, normalize="true")
    names = [("cat", "cat"), ("cat", "dog"), ("dog", "cat"), ("dog", "dog")]
    shares = table.set_index(["model", "actual", "predicted"]).share["shallow"]
    assert [shares[pair] for pair in names] == pytest.approx(expected.ravel(), abs=1e-6)


def test_calibration_rows_are_means_of_bins():
    """Every answer is in one bin; a bin's rates are those of its answers."""
    table = tables.calibration(TEST)
    rows = table[table.model == "shallow"].drop(columns="model").to_numpy()
    assert rows[:, 2].sum() == RUNS.size
    predicted, labels = RUNS.ravel(), np.broadcast_to(LABELS, RUNS.shape).ravel()
    third = (predicted > 0.2) & (predicted <= 0.3)  # as scikit-learn bins
    expected = [predicted[third].mean(), labels[third].mean(), third.sum()]
    assert any(row == pytest.approx(expected, abs=1e-6) for row in rows)


@either
def test_accuracy_rows_name_model_fold_and_run(test):
    """One row for every run of every fold, on the fold's own pictures."""
    table = tables.accuracy_by_run(test)
    expected = [
        (model, fold, run, round(np.mean((one > 0.5)[own] == LABELS[own]), 6))
        for model, runs in PROBABILITIES.items()
        for fold, own in enumerate(test.design.by_fold())
        for run, one in enumerate(runs)
    ]
    assert list(table.columns) == ["model", "fold", "run", "accuracy"]
    assert list(table.itertuples(index=False, name=None)) == expected


def test_learning_curves_carry_a_band():
    """Mean and quantiles of runs and folds, all within their range; a single run has no width."""
    runs = np.array([[[1.0, 4.0, 0.5]], [[3.0, 4.0, 0.5]]])
    table = tables.learning({"shallow": runs[:, None], "deep": np.ones((1, 1, 2, 3))})
    assert list(table.columns) == ["model", "epoch", "measure", "mean", "low", "high"]
    rows = [list(row) for row in table.itertuples(index=False)]
    assert rows[:2] == [
        ["shallow", 1, "train loss", 2.0, 1.2, 2.8],
        ["shallow", 1, "validation loss", 4.0, 4.0, 4.0],
    ]
    assert rows[3] == ["deep", 1, "train loss", 1.0, 1.0, 1.0] and len(rows) == 3 + 6


def test_a_table_has_the_same_numbers_as_its_file():
    """Six decimals, rounded as they are printed, Unix line ends."""
    history = np.full((1, 1, 1, 3), 0.6411225)  # a tie that NumPy rounds another way
    table = tables.learning({"shallow": history})
    lines = tables.as_csv(table).split(b"\n")
    expected = b"shallow,1,train loss,0.641123,0.641123,0.641123"
    assert lines[:2] == [b"model,epoch,measure,mean,low,high", expected]
    assert lines[4:] == [b""] and table["mean"][0] == 0.641123


def test_a_file_of_a_table_holds_no_markup():
    """DVC puts it into a script as it stands, and a class has the name of any folder."""
    classes = ("<!--<script>", os.fsdecode(b"dog\xff"))
    text = tables.as_csv(tables.confusion(TEST, classes)).decode()
    assert not set("<>&") & set(text) and "\\u003c!--\\u003cscript\\u003e,dog\\udcff," in text
