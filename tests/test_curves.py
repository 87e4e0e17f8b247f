"""The tables behind the plots say what the answers say."""

import numpy as np
import pytest
from sklearn import metrics

from shallowdeep import curves
from shallowdeep.evaluation import Answers

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 80)
# rounded, so that there are ties
SAID = np.round(np.clip(0.4 * LABELS + RNG.random((3, 80)) * 0.6, 0, 1), 2)
ANSWERS = Answers(LABELS, np.arange(80), {"shallow": SAID, "deep": 1 - SAID})


def test_the_roc_curve_is_scikit_learns():
    """Ties included."""
    for run in SAID:
        fpr, tpr, _ = metrics.roc_curve(LABELS, run, drop_intermediate=False)
        np.testing.assert_allclose(curves.roc_curve(LABELS, run), [fpr, tpr])


def test_roc_rows_hold_the_mean_of_the_runs():
    """At 101 false positive rates, by model, the band inside 0 .. 1."""
    header, *rows = curves.roc(ANSWERS)
    assert header == ["model", "false_positive_rate", "true_positive_rate", "low", "high"]
    assert len(rows) == 2 * 101
    expected = [np.interp(0.3, *curves.roc_curve(LABELS, run)) for run in SAID]
    row = next(row for row in rows if row[0] == "shallow" and row[1] == "0.300000")
    assert float(row[2]) == pytest.approx(np.mean(expected), abs=1e-6)
    assert all(0 <= float(row[3]) <= float(row[2]) <= float(row[4]) <= 1 for row in rows)


def test_confusion_rows_are_shares_of_the_actual_class():
    """Over all runs, as scikit-learn counts them."""
    header, *rows = curves.confusion(ANSWERS, ("cat", "dog"))
    assert header == ["model", "actual", "predicted", "share"]
    labels = np.broadcast_to(LABELS, SAID.shape).ravel()
    expected = metrics.confusion_matrix(labels, SAID.ravel() > 0.5, normalize="true")
    shares = {tuple(row[:3]): float(row[3]) for row in rows}
    for i, actual in enumerate(("cat", "dog")):
        for j, predicted in enumerate(("cat", "dog")):
            share = shares["shallow", actual, predicted]
            assert share == pytest.approx(expected[i, j], abs=1e-6)


def test_calibration_rows_are_means_of_bins():
    """Every answer is in one bin; a bin's rates are those of its answers."""
    _, *rows = curves.calibration(ANSWERS)
    rows = [[float(text) for text in row[1:]] for row in rows if row[0] == "shallow"]
    assert sum(row[2] for row in rows) == SAID.size
    said, labels = SAID.ravel(), np.broadcast_to(LABELS, SAID.shape).ravel()
    third = (said >= 0.2) & (said < 0.3)
    assert [said[third].mean(), labels[third].mean(), third.sum()] in [
        pytest.approx(row, abs=1e-6) for row in rows
    ]


def test_accuracy_rows_name_run_and_model():
    """One row a run."""
    header, *rows = curves.accuracy_by_run(ANSWERS)
    assert header == ["model", "run", "accuracy"]
    expected = [f"{np.mean((run > 0.5) == LABELS):.6f}" for run in SAID]
    assert [row[2] for row in rows if row[0] == "shallow"] == expected
    assert [row[1] for row in rows if row[0] == "deep"] == ["0", "1", "2"]


def test_learning_curves_carry_a_band():
    """Mean and one standard deviation over runs; a single run has no width."""
    histories = {"shallow": np.array([[[1.0, 4.0]], [[3.0, 4.0]]]), "deep": np.ones((1, 2, 2))}
    header, *rows = curves.learning(histories, ("train_loss", "validation_loss"))
    assert header == ["model", "epoch", "measure", "mean", "low", "high"]
    assert rows[0] == ["shallow", "1", "train loss", "2.000000", "0.585786", "3.414214"]
    assert rows[1] == ["shallow", "1", "validation loss", "4.000000", "4.000000", "4.000000"]
    assert rows[2] == ["deep", "1", "train loss", "1.000000", "1.000000", "1.000000"]
    assert len(rows) == 2 + 4
