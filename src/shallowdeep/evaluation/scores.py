"""Scores of predictions. A further score is one function and one entry in `SCORES`.

A score is computed for every run at once, together with each picture's part in it. The values are
scikit-learn's (a test compares them) and take a hundredth of its time.
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

LEAST = float(np.finfo(np.float64).eps)  # log(0) is not finite; scikit-learn clips here too


class RunScores(NamedTuple):
    """One score of R runs on the same N pictures.

    Intervals are computed from ``parts``: to first order, the score of a run is a constant plus
    the sum of its pictures' parts (their influence function over N). Only differences between
    pictures of one class carry meaning.
    """

    runs: Floats  # [R]
    parts: Floats  # [R, N]


class Score(NamedTuple):
    """A score, as tables, charts, model cards and intervals need it."""

    name: str  # in scores.csv
    title: str  # for people
    better: Literal["higher", "lower"]
    bound: float  # all values are from 0 to this; the interval of one with bound 1 is Wilson's
    function: Callable[[Labels, Floats], RunScores]  # of labels [N] and probabilities [R, N]

    @property
    def heading(self) -> str:
        """The title, with a remark if a lower score is better."""
        return self.title if self.better == "higher" else f"{self.title} (less is better)"


def accuracy(labels: Labels, probabilities: Floats) -> RunScores:
    """Share of pictures on the right side of 0.5; 0.5 itself counts as class 0."""
    return _mean(((probabilities > 0.5) == labels).astype(np.float64))


def balanced_accuracy(labels: Labels, probabilities: Floats) -> RunScores:
    """Mean of both classes' accuracies: 0.5 for a constant network."""
    right = (probabilities > 0.5) == labels
    of_class = [right[:, labels == label].mean(1) for label in (0, 1)]
    return RunScores((of_class[0] + of_class[1]) / 2, right / (2 * np.bincount(labels)[labels]))


def brier(labels: Labels, probabilities: Floats) -> RunScores:
    """Mean squared distance of the probability from the label (Brier 1950)."""
    return _mean((probabilities - labels) ** 2)


def log_loss(labels: Labels, probabilities: Floats) -> RunScores:
    """Mean of minus the log of the right class's probability, in nats."""
    right = np.where(labels == 1, probabilities, 1 - probabilities)
    return _mean(-np.log(np.clip(right, LEAST, 1 - LEAST)))


def f1(labels: Labels, probabilities: Floats) -> RunScores:
    """F1 of class 1: 2 TP / (pictures of class 1 + pictures predicted as class 1).

    The parts are the derivative of this ratio, the number of pictures of class 1 being fixed.
    """
    predicted = (probabilities > 0.5).astype(np.float64)
    hits = predicted * labels
    total = labels.sum() + predicted.sum(1, keepdims=True)
    ratio = 2 * hits.sum(1, keepdims=True) / total
    return RunScores(ratio[:, 0], (2 * hits - ratio * predicted) / total)


def roc_auc(labels: Labels, probabilities: Floats) -> RunScores:
    """Probability that a picture of class 1 is ranked above one of class 0; ties count half.

    The parts are placement values (DeLong, DeLong and Clarke-Pearson 1988): of each picture, the
    share of the other class's pictures that are ranked on the right side of it.
    """
    positive = labels == 1
    ones, zeros = positive.sum(), (~positive).sum()
    below = _ranks(probabilities)  # [R, N], without those of its own class: the other class's
    for own in (positive, ~positive):
        below[:, own] -= _ranks(probabilities[:, own])
    parts = np.where(positive, below / zeros, (ones - below) / ones)
    return RunScores(parts[:, positive].mean(1), parts / np.where(positive, ones, zeros))


def _mean(values: Floats) -> RunScores:
    """The score that is the mean over pictures of `values` [R, N]."""
    return RunScores(values.mean(1), values / values.shape[1])


def _ranks(values: Floats) -> Floats:
    """Ranks in each row; equal values share the mean of theirs."""
    return np.array(pd.DataFrame(values).rank(axis=1), order="C")


SCORES = {  # in the order of the report
    score.name: score
    for score in (
        Score(
            "balanced_accuracy",
            "balanced accuracy (mean of both classes)",
            "higher",
            1,
            balanced_accuracy,
        ),
        Score("accuracy", "accuracy", "higher", 1, accuracy),
        Score("roc_auc", "area under the ROC curve", "higher", 1, roc_auc),
        Score("f1", "F1", "higher", 1, f1),
        Score("log_loss", "log loss", "lower", -math.log(LEAST), log_loss),
        Score("brier", "Brier score", "lower", 1, brier),
    )
}
