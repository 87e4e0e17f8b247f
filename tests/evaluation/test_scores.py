"""Scores are scikit-learn's, and their parts say how a score changes with its pictures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from shallowdeep.evaluation.scores import SCORES, accuracy, log_loss, published, roc_auc

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
def answers(draw):
    """Labels of both classes and probabilities of three runs, with ties and certainties."""
    labels = np.array([0, 1, *draw(st.lists(st.integers(0, 1), max_size=30))])
    tenths = st.integers(0, 10).map(lambda n: n / 10)
    row = st.lists(tenths, min_size=len(labels), max_size=len(labels))
    return labels, np.array(draw(st.lists(row, min_size=3, max_size=3)))


@pytest.mark.parametrize("name", SCORES)
@settings(deadline=None, max_examples=50)
@given(case=answers())
def test_every_run_has_the_score_that_scikit_learn_gives(name, case):
    """With ties, constant predictions and probabilities of 0 and 1 too."""
    labels, probabilities = case
    expected = [REFERENCE[name](labels, row) for row in probabilities]
    np.testing.assert_allclose(SCORES[name](labels, probabilities).runs, expected, atol=1e-12)
    np.testing.assert_allclose(published(labels, probabilities)[name], expected, atol=1e-12)
    alone = published(labels, probabilities[:1])[name]
    np.testing.assert_allclose(alone, expected[:1], atol=1e-12)


def test_the_names_are_those_of_the_reference():
    """No score goes unchecked."""
    assert SCORES.keys() == REFERENCE.keys()


@pytest.mark.parametrize("name", SCORES)
def test_parts_tell_how_a_score_changes_when_a_picture_counts_more(name):
    """A picture of weight 1 + h changes the score by h times its part less its class's mean."""
    rng = np.random.default_rng(0)
    labels, h = np.repeat([0, 1], [300, 200]), 1e-5
    probabilities = rng.random((1, 500))
    score = SCORES[name](labels, probabilities)
    for picture in (0, 150, 299, 300, 400, 499):
        same_class = labels == labels[picture]
        weights = np.ones(500)
        weights[same_class] -= h / (same_class.sum() - 1)
        weights[picture] = 1 + h
        change = REFERENCE[name](labels, probabilities[0], weights) - score.runs[0]
        others = np.delete(score.parts[0], picture)[np.delete(same_class, picture)]
        expected = h * (score.parts[0, picture] - others.mean())
        assert change == pytest.approx(expected, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("name", sorted(SCORES.keys() - {"f1"}))
def test_parts_add_up_to_the_score(name):
    """To scikit-learn's, but for F1's, which are those of a ratio; of AUC those of one class."""
    rng = np.random.default_rng(1)
    labels, probabilities = rng.integers(0, 2, 200), rng.random((3, 200))
    parts = SCORES[name](labels, probabilities).parts
    total = parts[:, labels == 1].sum(1) if name == "roc_auc" else parts.sum(1)
    np.testing.assert_allclose(total, published(labels, probabilities)[name], rtol=1e-12)


def test_a_probability_of_one_half_counts_as_class_0():
    """The rule is the training's: class 1 where the logit is above 0."""
    assert accuracy(np.array([0, 1]), np.array([[0.5, 0.5]])).runs == [0.5]


def test_a_certain_mistake_costs_a_finite_log_loss():
    """JSON knows no infinity."""
    assert log_loss(np.array([0, 1]), np.array([[1.0, 0.0]])).runs == pytest.approx(
        [36.04], abs=0.01
    )


def test_constant_predictions_rank_nothing():
    """Ties count half."""
    assert roc_auc(np.array([0, 1, 1]), np.full((2, 3), 0.3)).runs.tolist() == [0.5, 0.5]
