"""The charts of the report, each from its table; `charts` knows how to draw, this what."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from shallowdeep.evaluation.metrics import Metrics
from shallowdeep.report import charts
from shallowdeep.report.charts import Axis, Line, Strip, around

SHARE = (0.0, 1.0)


class Tables(NamedTuple):
    """What the charts are drawn from; as CSV files in results/plots."""

    learning_curves: pd.DataFrame
    roc: pd.DataFrame
    calibration: pd.DataFrame
    confusion: pd.DataFrame
    accuracy_by_run: pd.DataFrame


def learning_curves(table: pd.DataFrame, names: Sequence[str]) -> str:
    """Loss and accuracy of all models after each epoch, as one SVG file.

    Args:
        table: of learning curves.
        names: of the models, in the order of their colours.
    """
    parts = [_learning(table, names, measure) for measure in ("loss", "accuracy")]
    title = "Loss (dashed: training) and validation accuracy after each epoch, mean of the runs"
    return charts.side_by_side(parts, names, title=title)


def drawn(tables: Tables, names: Sequence[str], metrics: Metrics) -> dict[str, str]:
    """Every chart of the page as SVG, by the name that the page calls it."""
    return {
        "loss": _learning(tables.learning_curves, names, "loss"),
        "accuracy": _learning(tables.learning_curves, names, "accuracy"),
        "by_run": _by_run(tables.accuracy_by_run, names, metrics),
        "roc": _roc(tables.roc, names),
        "calibration": _calibration(tables.calibration, names),
    }


def _learning(table: pd.DataFrame, names: Sequence[str], measure: str) -> str:
    """Chart of one measure, `loss` or `accuracy`."""
    curves = []
    for kind in ("validation", "train"):
        for number, name in enumerate(names):
            own = table[(table.model == name) & (table.measure == f"{kind} {measure}")]
            if not own.empty:
                training = kind == "train"
                band = ([], []) if training else (list(own.low), list(own.high))
                line = Line(number, list(own.epoch), list(own["mean"]), *band, dashed=training)
                curves.append(line)
    ends = [value for curve in curves for value in (*curve.y, *curve.low, *curve.high)]
    epochs = max(curve.x[-1] for curve in curves)
    across = Axis("epoch", (1, epochs) if epochs > 1 else around([1]), whole=True)
    title = f"{measure} after each epoch: mean of the runs"
    return charts.lines(curves, across, Axis(measure, around(ends)), title=title)


def _by_run(table: pd.DataFrame, names: Sequence[str], metrics: Metrics) -> str:
    rows = []
    for number, name in enumerate(names):
        mean, _, low, high = metrics.models[name]["test"]["accuracy"]
        rows.append(Strip(number, name, list(table.accuracy[table.model == name]), mean, low, high))
    ends = around([value for row in rows for value in (*row.values, row.low, row.high)])
    title = "Test accuracy of every run, and the interval"
    return charts.strips(rows, Axis("test accuracy", ends), title=title)


def _roc(table: pd.DataFrame, names: Sequence[str]) -> str:
    curves = []
    for number, name in enumerate(names):
        own = table[table.model == name]
        x, y = list(own.false_positive_rate), list(own.true_positive_rate)
        curves.append(Line(number, x, y, list(own.low), list(own.high)))
    return charts.lines(
        curves,
        Axis("false positive rate", SHARE),
        Axis("true positive rate", SHARE),
        title="ROC curves on the test pictures: mean of the runs",
        diagonal=True,
    )


def _calibration(table: pd.DataFrame, names: Sequence[str]) -> str:
    curves = []
    for number, name in enumerate(names):
        own = table[table.model == name]
        x, y = list(own.probability), list(own.share_of_second_class)
        curves.append(Line(number, x, y, dots=True))
    return charts.lines(
        curves,
        Axis("probability that the model says", SHARE),
        Axis("how often it is so", SHARE),
        title="Calibration on the test pictures, all runs",
        diagonal=True,
    )
