"""The tables behind the plots: long form, one file a chart, a column that names the model."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shallowdeep.atomic import replacing
from shallowdeep.evaluation import Answers
from shallowdeep.scores import accuracy

GRID = np.linspace(
    0, 1, 101
)  # false positive rates at which the ROC curves of the runs are averaged
BINS = 10  # of the calibration curve


def learning(
    histories: Mapping[str, NDArray[np.float64]], columns: Sequence[str]
) -> list[list[str]]:
    """Learning curves, mean over runs and the band of one standard deviation.

    Args:
        histories: by model, the columns of history.csv that are measures: [R, epochs, measures].
        columns: their names.

    Returns:
        Rows of model, epoch, measure, mean, low, high.
    """
    rows = [["model", "epoch", "measure", "mean", "low", "high"]]
    for model, history in histories.items():
        mean, low, high = _band(history)
        for i, measure in enumerate(columns):
            for epoch in range(history.shape[1]):
                numbers = (mean[epoch, i], low[epoch, i], high[epoch, i])
                rows.append([model, str(epoch + 1), measure.replace("_", " "), *_text(numbers)])
    return rows


def roc(answers: Answers) -> list[list[str]]:
    """ROC curves: mean true positive rate of the runs at each false positive rate, and its band."""
    rows = [["model", "false_positive_rate", "true_positive_rate", "low", "high"]]
    for model, probabilities in answers.probabilities.items():
        curves = [roc_curve(answers.labels, run) for run in probabilities]
        mean, low, high = _band(np.array([np.interp(GRID, fpr, tpr) for fpr, tpr in curves]))
        columns = (GRID, mean, low.clip(0), high.clip(max=1))
        rows += [[model, *_text(numbers)] for numbers in zip(*columns, strict=True)]
    return rows


def roc_curve(
    labels: NDArray[np.int64], probabilities: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One run's ROC curve, as scikit-learn's, whose import would cost the stage 3 s.

    Args:
        labels: 0 or 1 [n], both present.
        probabilities: of class 1 [n].

    Returns:
        False and true positive rates, one point per distinct probability, and (0, 0) before them.
    """
    order = np.argsort(-probabilities, kind="stable")
    points = np.flatnonzero(np.diff(probabilities[order], append=-1))
    positive = np.cumsum(labels[order])[points]
    negative = points + 1 - positive
    return np.append(0, negative / negative[-1]), np.append(0, positive / positive[-1])


def confusion(answers: Answers, classes: Sequence[str]) -> list[list[str]]:
    """Confusion matrix, all runs together: model, actual, predicted, share of the actual."""
    rows = [["model", "actual", "predicted", "share"]]
    for model, probabilities in answers.probabilities.items():
        predicted = probabilities > 0.5
        for actual, name in enumerate(classes):
            share = float(predicted[:, answers.labels == actual].mean())
            rows.append([model, name, classes[0], *_text([1 - share])])
            rows.append([model, name, classes[1], *_text([share])])
    return rows


def calibration(answers: Answers) -> list[list[str]]:
    """Reliability curve of all runs together, over bins of equal width that are not empty."""
    rows = [["model", "probability", "share_of_second_class", "answers"]]
    for model, probabilities in answers.probabilities.items():
        labels = np.broadcast_to(answers.labels, probabilities.shape).ravel()
        bins = np.minimum((probabilities.ravel() * BINS).astype(int), BINS - 1)
        count = np.bincount(bins, minlength=BINS)
        said = np.bincount(bins, probabilities.ravel(), minlength=BINS)
        true = np.bincount(bins, labels, minlength=BINS)
        for i in np.flatnonzero(count):
            numbers = _text([said[i] / count[i], true[i] / count[i]])
            rows.append([model, *numbers, str(count[i])])
    return rows


def accuracy_by_run(answers: Answers) -> list[list[str]]:
    """Test accuracy of every run: rows of model, run, accuracy."""
    rows = [["model", "run", "accuracy"]]
    for model, probabilities in answers.probabilities.items():
        for run, value in enumerate(accuracy(answers.labels, probabilities).runs):
            rows.append([model, str(run), *_text([value])])
    return rows


def write(rows: Sequence[Sequence[str]], path: Path) -> None:
    """Write a table as CSV."""
    with replacing(path) as new, new.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _band(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Mean over the first axis, the runs, and the mean less and plus one standard deviation."""
    mean = values.mean(0)
    std = values.std(0, ddof=1) if len(values) > 1 else np.zeros_like(mean)
    return mean, mean - std, mean + std


def _text(numbers: Iterable[float]) -> list[str]:
    return [f"{number:.6f}" for number in numbers]
