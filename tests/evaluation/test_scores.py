"""Scores are scikit-learn's, and parts give the change of a score with the weight of a picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from shallowdeep.evaluation.scores import SCORES, accuracy, log_loss, roc_auc

REFERENCE = {
    "accuracy": lambda y, p, w=None: metrics.accuracy_score(y, p > 0.5, sample_weight=w),
    "balanced_accuracy": lambda y, p, w=None: metrics.balanced_accuracy_score(
        y, p > 0.5, sample_weight=w
    ),
    "brier": lambda y, p, w=None: metrics.brier_score_loss(y, p, sample_weight=w),
    "f1": lambda y, p, w=None: metrics.f1_score(y, p > 0.5, sample_weight=w),
    "log_loss": lambda y, p, w=None: metrics.log_loss(y, p, sample_weight=w),
    "roc_auc": lambda y, p, w=None: metrics.roc_auc_score(y, p, sample_weight=w),
}


@st.composite
def predictions(draw):
    """Labels of both classes and probabilities of three runs: tied, certain and arbitrary ones."""
    labels = np.array([0, 1, *draw(st.lists(st.integers(0, 1), max_size=30))])
    values = st.one_of(st.integers(0, 10).map(lambda n: n / 10), st.floats(0, 1))
    row = st.lists(values, min_size=len(labels), max_size=len(labels))
    return labels, np.array(draw(st.lists(row, min_size=3, max_size=3)))


@pytest.mark.parametrize("name", SCORES)
@settings(deadline=None, max_examples=30)
@given(case=predictions())
def test_every_run_has_the_score_that_scikit_learn_gives(name, case):
    """With ties, constant predictions and probabilities of 0 and 1 too; within the bound."""
    labels, probabilities = case
    score = SCORES[name]
    runs = score.function(labels, probabilities).runs
    expected = [REFERENCE[name](labels, row) for row in probabilities]
    np.testing.assert_allclose(runs, expected, atol=1e-12)
    assert ((runs >= 0) & (runs <= score.bound + 1e-12)).all()


@pytest.mark.parametrize("name", SCORES)
def test_a_better_score_is_on_the_side_that_its_record_names(name):
    """Predictions that are nearly right, against nearly wrong ones."""
    labels = np.arange(10) % 2
    right, wrong = SCORES[name].function(labels, np.array([labels, 1 - labels]) * 0.8 + 0.1).runs
    assert (right > wrong) == (SCORES[name].better == "higher")
    assert SCORES[name].heading.endswith(" (less is better)") == (right < wrong)


@pytest.mark.parametrize("name", SCORES)
def test_parts_tell_how_a_score_changes_when_a_picture_counts_more(name):
    """A picture of weight 1 + h: by h times its part less its class's mean; they add up to it."""
    rng = np.random.default_rng(0)
    labels, h = np.repeat([0, 1], [300, 200]), 1e-5
    probabilities = rng.random((3, 500))
    score = SCORES[name].function(labels, probabilities)
    for picture in (0, 150, 299, 300, 400, 499):
        same_class = labels == labels[picture]
        weights = np.ones(500)
        weights[same_class] -= h / (same_class.sum() - 1)
        weights[picture] = 1 + h
        change = REFERENCE[name](labels, probabilities[0], weights) - score.runs[0]
        others = np.delete(score.parts[0], picture)[np.delete(same_class, picture)]
        expected = h * (score.parts[0, picture] - others.mean())
        assert change == pytest.approx(expected, rel=1e-3, abs=1e-12)
    if name != "f1":  # whose parts are those of a ratio; of AUC those of one class
        parts = score.parts[:, labels == 1] if name == "roc_auc" else score.parts
        np.testing.assert_allclose(parts.sum(1), score.runs, rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "labels", "probabilities", "expected"),
    [
        (accuracy, [0, 1], [0.5, 0.5], 0.5),  # one half is class 0, as a logit of 0
        (log_loss, [0, 1], [1.0, 0.0], pytest.approx(36.04, abs=0.01)),  # JSON has no infinity
        (roc_auc, [0, 1, 1], [0.3, 0.3, 0.3], 0.5),  # ties count half
    ],
)
def test_edges_have_finite_scores(function, labels, probabilities, expected):
    """A probability of one half, a certain mistake, a constant."""
    runs = function(np.array(labels), np.array([probabilities] * 2)).runs
    assert runs.tolist() == [expected] * 2
