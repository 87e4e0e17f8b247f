"""The tables behind the charts: long form, one CSV file each, a column that names the model."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, roc_curve

from shallowdeep.evaluation.by_epoch import EpochDifference
from shallowdeep.evaluation.score_table import DECIMALS
from shallowdeep.evaluation.scores import Floats, accuracy
from shallowdeep.evaluation.split_predictions import SplitPredictions
from shallowdeep.files.markup import escape
from shallowdeep.trained.history import MEASURES

GRID = np.linspace(0, 1, 101)  # false positive rates at which the runs' ROC curves are averaged
BINS = 10  # of the calibration curve
BAND = 0.1, 0.9  # quantiles of the runs


def chart_tables(
    epochs: Sequence[EpochDifference],
    test: SplitPredictions,
    histories: Mapping[str, Floats],
    classes: tuple[str, str],
) -> dict[str, pd.DataFrame]:
    """All tables, by the name of their CSV file; `test` has the tested pictures' predictions."""
    return {
        "learning_curves": learning(histories),
        "roc": roc(test),
        "calibration": calibration(test),
        "confusion": confusion(test, classes),
        "accuracy_by_run": accuracy_by_run(test),
        # Deep minus shallow: columns epoch, mean, low, high, ahead (a name or nothing).
        "difference_by_epoch": _rounded(pd.DataFrame(epochs, columns=EpochDifference._fields)),
    }


def as_csv(table: pd.DataFrame) -> bytes:
    """A table as a CSV file, numbers with DECIMALS decimals, names without markup."""
    names = table.select_dtypes(exclude="number").map(escape, na_action="ignore")
    text = table.assign(**names).to_csv(
        index=False, float_format=f"%.{DECIMALS}f", lineterminator="\n"
    )
    return text.encode("utf-8", "backslashreplace")  # of names that are not UTF-8


def learning(histories: Mapping[str, Floats]) -> pd.DataFrame:
    """Learning curves: mean over the runs of all folds, and the band that 80 % of them are in.

    Columns model, epoch, measure, mean, low, high; from the measures of every epoch [K, R, E, 3].
    """

    def curves(history: Floats) -> dict[str, object]:
        mean, low, high = (band.T.ravel() for band in _band(np.concatenate(history)))  # [3 E]
        epochs = np.arange(1, history.shape[2] + 1)
        return {
            "epoch": np.tile(epochs, len(MEASURES)),
            "measure": np.repeat([name.replace("_", " ") for name in MEASURES], len(epochs)),
            "mean": mean,
            "low": low,
            "high": high,
        }

    return _by_model(histories, curves)


def roc(test: SplitPredictions) -> pd.DataFrame:
    """ROC curves: mean true positive rate of the runs at each false positive rate, and its band.

    Columns model, false_positive_rate, true_positive_rate, low, high.
    """

    def curve(probabilities: Floats) -> dict[str, object]:
        curves = [
            roc_curve(test.design.labels[own], run[own])[:2]
            for own in test.design.by_fold()
            for run in probabilities
        ]
        mean, low, high = _band(np.array([np.interp(GRID, fpr, tpr) for fpr, tpr in curves]))
        return {"false_positive_rate": GRID, "true_positive_rate": mean, "low": low, "high": high}

    return _by_model(test.probabilities, curve)


def confusion(test: SplitPredictions, classes: tuple[str, str]) -> pd.DataFrame:
    """Confusion matrix, all runs together: model, actual, predicted, share of the actual."""

    def shares(probabilities: Floats) -> dict[str, object]:
        labels = np.broadcast_to(test.design.labels, probabilities.shape).ravel()
        matrix = confusion_matrix(labels, probabilities.ravel() > 0.5, normalize="true")
        pairs = {"actual": np.repeat(classes, 2), "predicted": np.tile(classes, 2)}
        return pairs | {"share": matrix.ravel()}

    return _by_model(test.probabilities, shares)


def calibration(test: SplitPredictions) -> pd.DataFrame:
    """Reliability curve of all runs together, over bins of equal width that are not empty.

    Columns model, probability, share_of_second_class (both means), answers (a count).
    """

    def curve(probabilities: Floats) -> dict[str, object]:
        labels = np.broadcast_to(test.design.labels, probabilities.shape).ravel()
        true, predicted = calibration_curve(labels, probabilities.ravel(), n_bins=BINS)
        edges = np.linspace(0, 1, BINS + 1)[1:-1]
        count = np.bincount(np.searchsorted(edges, probabilities.ravel()))
        rates = {"probability": predicted, "share_of_second_class": true}
        return rates | {"answers": count[count > 0]}

    return _by_model(test.probabilities, curve)


def accuracy_by_run(test: SplitPredictions) -> pd.DataFrame:
    """Test accuracy of every run of every fold: columns model, fold, run, accuracy."""
    labels, by_fold = test.design.labels, test.design.by_fold()

    def of_runs(probabilities: Floats) -> dict[str, object]:
        values = np.array([accuracy(labels[own], probabilities[:, own]).runs for own in by_fold])
        folds, runs = np.indices(values.shape)
        return {"fold": folds.ravel(), "run": runs.ravel(), "accuracy": values.ravel()}

    return _by_model(test.probabilities, of_runs)


def _by_model(
    arrays: Mapping[str, Floats], columns: Callable[[Floats], dict[str, object]]
) -> pd.DataFrame:
    """The columns of each model's array, joined, and a column that names the model."""
    frames = [pd.DataFrame({"model": name, **columns(array)}) for name, array in arrays.items()]
    return _rounded(pd.concat(frames, ignore_index=True))


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Round numbers as in the CSV file, so that charts of either are the same."""
    for name, column in table.select_dtypes("float").items():
        # Python rounds as it writes; NumPy's shortcut differs where the next digit is a 5.
        table[name] = [round(value, DECIMALS) for value in column.tolist()]
    return table


def _band(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Mean over the first axis, the runs, and between which quantiles most of them lie.

    A band of standard deviations reached below a loss of 0.
    """
    return values.mean(0), *np.quantile(values, BAND, axis=0)
