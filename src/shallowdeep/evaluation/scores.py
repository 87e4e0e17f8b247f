"""How good predictions are: each score for every run at once, and what each picture adds to it.

What is published is scikit-learn's value; an interval is made from the parts, and a simulation from
`Score.runs`, the same numbers to rounding, which take a hundredth of the time.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

LEAST = np.finfo(np.float64).eps  # log(0) is not a number; scikit-learn clips here too


class Score(NamedTuple):
    """One score of R runs on the same N pictures.

    ``parts`` is what an interval is made from: to first order, the score of a run is a constant
    plus the sum of its pictures' parts (their influence function over N). Only differences between
    pictures of one class carry meaning.
    """

    runs: Floats  # [R]
    parts: Floats  # [R, N]


def accuracy(labels: Labels, probabilities: Floats) -> Score:
    """Share of pictures on the right side of 0.5; 0.5 itself counts as class 0."""
    return _mean(((probabilities > 0.5) == labels).astype(np.float64))


def balanced_accuracy(labels: Labels, probabilities: Floats) -> Score:
    """Mean of both classes' accuracies: 0.5 for a network that always says the same."""
    right = (probabilities > 0.5) == labels
    of_class = [right[:, labels == label].mean(1) for label in (0, 1)]
    return Score((of_class[0] + of_class[1]) / 2, right / (2 * np.bincount(labels)[labels]))


def brier(labels: Labels, probabilities: Floats) -> Score:
    """Mean squared distance of the probability from the label (Brier 1950)."""
    return _mean((probabilities - labels) ** 2)


def log_loss(labels: Labels, probabilities: Floats) -> Score:
    """Mean of minus the log of the probability that the right class was given, in nats."""
    right = np.where(labels == 1, probabilities, 1 - probabilities)
    return _mean(-np.log(np.clip(right, LEAST, 1 - LEAST)))


def f1(labels: Labels, probabilities: Floats) -> Score:
    """F1 of class 1: 2 TP / (pictures of class 1 + pictures said to be of class 1).

    The parts are the derivative of this ratio, the number of pictures of class 1 being fixed.
    """
    said = (probabilities > 0.5).astype(np.float64)
    hits = said * labels
    total = labels.sum() + said.sum(1, keepdims=True)
    ratio = 2 * hits.sum(1, keepdims=True) / total
    return Score(ratio[:, 0], (2 * hits - ratio * said) / total)


def roc_auc(labels: Labels, probabilities: Floats) -> Score:
    """Probability that a picture of class 1 is ranked above one of class 0; ties count half.

    The parts are placement values (DeLong, DeLong and Clarke-Pearson 1988): of each picture, the
    share of the other class's pictures that are ranked on the right side of it.
    """
    positive = labels == 1
    parts = np.empty(probabilities.shape)
    for part, row in zip(parts, probabilities, strict=True):
        part[positive] = _share_below(row[positive], row[~positive])
        part[~positive] = _share_below(-row[~positive], -row[positive])
    runs = parts[:, positive].mean(1)
    return Score(runs, parts / np.where(positive, positive.sum(), (~positive).sum()))


SCORES: dict[str, Callable[[Labels, Floats], Score]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "brier": brier,
    "f1": f1,
    "log_loss": log_loss,
    "roc_auc": roc_auc,
}


def published(labels: Labels, probabilities: Floats) -> dict[str, Floats]:
    """scikit-learn's value of every score of `SCORES` for every run: [R, N] -> [R] each.

    Runs go in as the columns of one table wherever scikit-learn has a value per column: a call
    costs 2 ms, mostly for checks, and two models of ten runs on three splits would take 360.
    """
    from sklearn import metrics

    if len(probabilities) == 1:  # one column would be taken for one list of answers
        twice = published(labels, np.repeat(probabilities, 2, axis=0))
        return {name: runs[:1] for name, runs in twice.items()}
    true = np.broadcast_to(labels[:, None], probabilities.T.shape)  # [N, R]
    said = (probabilities.T > 0.5).astype(np.int64)
    counts = metrics.multilabel_confusion_matrix(true, said)  # [R, actual, said]
    right = counts.diagonal(axis1=1, axis2=2)
    return {
        "accuracy": right.sum(1) / len(labels),
        "balanced_accuracy": (right / counts.sum(2)).mean(1),
        "brier": metrics.mean_squared_error(true, probabilities.T, multioutput="raw_values"),
        "f1": metrics.f1_score(true, said, average=None),
        "log_loss": np.array([metrics.log_loss(labels, run) for run in probabilities]),
        "roc_auc": metrics.roc_auc_score(true, probabilities.T, average=None),
    }


def _mean(values: Floats) -> Score:
    """The score that is the mean over pictures of `values` [R, N]."""
    return Score(values.mean(1), values / values.shape[1])


def _share_below(values: Floats, others: Floats) -> Floats:
    """Share of `others` [m] that lie below each of `values` [n], equal ones counting half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, side="left")
    not_above = np.searchsorted(ordered, values, side="right")
    return (below + not_above) / (2 * len(others))
