"""The tables behind the charts: long form, one CSV file each, a column that names the model."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, roc_curve

from shallowdeep.evaluation.by_epoch import EpochDifference
from shallowdeep.evaluation.csv_file import DECIMALS
from shallowdeep.evaluation.scores import accuracy
from shallowdeep.evaluation.split_predictions import SplitPredictions

GRID = np.linspace(0, 1, 101)  # false positive rates at which the runs' ROC curves are averaged
BINS = 10  # of the calibration curve


def chart_tables(
    epochs: Sequence[EpochDifference],
    test: SplitPredictions,
    histories: Mapping[str, NDArray[np.float64]],
    measures: Sequence[str],
    classes: tuple[str, str],
) -> dict[str, pd.DataFrame]:
    """All tables, by the name of their CSV file.

    Args:
        epochs: the difference after each epoch.
        test: predictions for the tested pictures.
        histories: as of `learning`.
        measures: as of `learning`.
        classes: their names.
    """
    return {
        "learning_curves": learning(histories, measures),
        "roc": roc(test),
        "calibration": calibration(test),
        "confusion": confusion(test, classes),
        "accuracy_by_run": accuracy_by_run(test),
        "difference_by_epoch": difference_by_epoch(epochs),
    }


def learning(histories: Mapping[str, NDArray[np.float64]], measures: Sequence[str]) -> pd.DataFrame:
    """Learning curves, mean over runs and folds and the band of one standard deviation.

    Args:
        histories: by model, the columns of history.csv that are measures: [K, R, epochs, measures].
        measures: their names.

    Returns:
        Columns model, epoch, measure, mean, low, high.
    """
    frames = []
    for model, history in histories.items():
        mean, low, high = (
            band.T.ravel() for band in _band(np.concatenate(history))
        )  # [measures * epochs]
        epochs = np.arange(1, history.shape[2] + 1)
        columns = {
            "model": model,
            "epoch": np.tile(epochs, len(measures)),
            "measure": np.repeat([name.replace("_", " ") for name in measures], len(epochs)),
        }
        frames.append(pd.DataFrame(columns | {"mean": mean, "low": low, "high": high}))
    return _table(frames)


def roc(test: SplitPredictions) -> pd.DataFrame:
    """ROC curves: mean true positive rate of the runs at each false positive rate, and its band.

    Returns:
        Columns model, false_positive_rate, true_positive_rate, low, high.
    """
    frames = []
    for model, probabilities in test.probabilities.items():
        curves = [
            roc_curve(test.labels[own], run[own])[:2]
            for own in test.design.by_fold()
            for run in probabilities
        ]
        mean, low, high = _band(np.array([np.interp(GRID, fpr, tpr) for fpr, tpr in curves]))
        columns = {"model": model, "false_positive_rate": GRID, "true_positive_rate": mean}
        frames.append(pd.DataFrame(columns | {"low": low.clip(0), "high": high.clip(max=1)}))
    return _table(frames)


def confusion(test: SplitPredictions, classes: tuple[str, str]) -> pd.DataFrame:
    """Confusion matrix, all runs together: model, actual, predicted, share of the actual."""
    frames = []
    for model, probabilities in test.probabilities.items():
        labels = np.broadcast_to(test.labels, probabilities.shape)
        predicted = probabilities > 0.5
        shares = confusion_matrix(labels.ravel(), predicted.ravel(), normalize="true")
        columns = {
            "model": model,
            "actual": np.repeat(classes, 2),
            "predicted": np.tile(classes, 2),
            "share": shares.ravel(),
        }
        frames.append(pd.DataFrame(columns))
    return _table(frames)


def calibration(test: SplitPredictions) -> pd.DataFrame:
    """Reliability curve of all runs together, over bins of equal width that are not empty.

    Returns:
        Columns model, probability, share_of_second_class (both means), answers (a count).
    """
    frames = []
    for model, probabilities in test.probabilities.items():
        labels = np.broadcast_to(test.labels, probabilities.shape).ravel()
        true, predicted = calibration_curve(labels, probabilities.ravel(), n_bins=BINS)
        edges = np.linspace(0, 1, BINS + 1)[1:-1]
        count = np.bincount(np.searchsorted(edges, probabilities.ravel()))
        columns = {
            "model": model,
            "probability": predicted,
            "share_of_second_class": true,
            "answers": count[count > 0],
        }
        frames.append(pd.DataFrame(columns))
    return _table(frames)


def accuracy_by_run(test: SplitPredictions) -> pd.DataFrame:
    """Test accuracy of every run of every fold: columns model, fold, run, accuracy."""
    frames = []
    for model, probabilities in test.probabilities.items():
        for fold, own in enumerate(test.design.by_fold()):
            runs = accuracy(test.labels[own], probabilities[:, own]).runs
            columns = {"model": model, "fold": fold, "run": np.arange(len(runs)), "accuracy": runs}
            frames.append(pd.DataFrame(columns))
    return _table(frames)


def difference_by_epoch(found: Sequence[EpochDifference]) -> pd.DataFrame:
    """Deep minus shallow by epoch: columns epoch, mean, low, high, ahead (a name or nothing)."""
    return _table([pd.DataFrame(found, columns=list(EpochDifference._fields))])


def _table(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join frames and round numbers as in the CSV file, so that charts of either are the same."""
    table = pd.concat(frames, ignore_index=True)
    for name, column in table.select_dtypes("float").items():
        # Python rounds as it writes; NumPy's shortcut differs where the next digit is a 5.
        table[name] = [round(value, DECIMALS) for value in column.tolist()]
    return table


def _band(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Mean over the first axis, the runs, and the mean less and plus one standard deviation."""
    mean = values.mean(0)
    std = values.std(0, ddof=1) if len(values) > 1 else np.zeros_like(mean)
    return mean, mean - std, mean + std
