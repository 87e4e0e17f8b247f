"""results/report.html: what came out, what went in and how to get it again, on one page.

The page is one file: it loads nothing, runs no script, follows the reader's light or dark scheme
and can be printed. It is made of tracked inputs only, so that the same inputs give the same bytes.
"""

import base64
import csv
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from shallowdeep import charts
from shallowdeep.charts import Axis, Line, Strip, around
from shallowdeep.errors import InputError
from shallowdeep.figures import Tile, jpeg

PACKAGES = ("dvc", "torch", "torchvision", "numpy", "scipy", "pandas", "scikit-learn", "matplotlib")
SCORES = {  # names in metrics.json, and for people
    "accuracy": "accuracy",
    "roc_auc": "area under the ROC curve",
    "f1": "F1",
    "log_loss": "log loss (less is better)",
    "brier": "Brier score (less is better)",
}
LISTED = 20  # files left out that the page names

Table = Sequence[Sequence[str]]  # rows of a CSV file, the header first
Json = Mapping[str, Any]


class Tables(NamedTuple):
    """What the charts are drawn from: the rows of the CSV files in results/."""

    learning_curves: Table
    roc: Table
    calibration: Table
    confusion: Table
    accuracy_by_run: Table


class Pictures(NamedTuple):
    """What the page shows of them."""

    examples: Mapping[str, Sequence[Tile]]  # by class
    first_layer: Mapping[str, Sequence[Tile]]  # by model
    most_wrong: Mapping[str, Sequence[Tile]]  # by model


class Facts(NamedTuple):
    """What the page says in numbers."""

    metrics: Json  # metrics.json
    data: Json  # data.json
    left_out: Table  # rejected.csv, without its header
    parameters: Json  # params.yaml
    identity: str | None  # of the models; None where the stages leave no records


def read_data(listing: Path, counts: Path) -> tuple[list[list[str]], dict[str, Any]]:
    """Read rejected.csv, without its header, and data.json.

    Raises:
        InputError: one is missing, or not as it was written.
    """
    path = listing
    try:
        with listing.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        if header != ["path", "reason"] or any(len(row) != 2 for row in rows):
            raise ValueError
        path = counts
        report = json.loads(counts.read_text(encoding="utf-8"))
        if set(report) != {"pictures", "rejected", "duplicates", "split"}:
            raise ValueError
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro prepare` makes it") from None
    except (ValueError, TypeError, csv.Error):
        raise InputError(
            f"{path}: damaged or altered; `dvc repro --force prepare` makes it anew"
        ) from None
    return rows, report


def sentence(metrics: Json, *, runs: int, alpha: float) -> str:
    """The verdict for a reader who knows no statistics.

    Args:
        metrics: the content of metrics.json.
        runs: of each network.
        alpha: 1 - alpha is the confidence of the intervals.
    """
    right = {name: f"{100 * _test(metrics, name)['mean']:.1f} %" for name in ("deep", "shallow")}
    if runs == 1:
        return (
            f"One run of each network cannot tell whether depth helps: the deep one got "
            f"{right['deep']} of the test pictures right, the shallow one {right['shallow']}, "
            "and another seed may turn that round."
        )
    low, high = (100 * _test(metrics, "difference")[edge] for edge in ("low", "high"))
    if metrics["verdict"] == "undecided":
        return (
            f"These pictures cannot tell whether depth helps: of new ones, the deep network gets "
            f"{right['deep']} right and the shallow one {right['shallow']}, and the true "
            f"difference may be anything from {max(-low, 0):.1f} points for the shallow network to "
            f"{max(high, 0):.1f} for the deep one."
        )
    better = metrics["verdict"]
    worse = "shallow" if better == "deep" else "deep"
    least, most = sorted((abs(low), abs(high)))
    return (
        f"On pictures like these the {better} network is better: of new ones it gets "
        f"{right[better]} right, the {worse} one {right[worse]}; with {100 * (1 - alpha):g} % "
        f"confidence it is ahead by {least:.1f} to {most:.1f} points."
    )


def learning_curves(table: Table, names: Sequence[str]) -> str:
    """Loss and accuracy of all models after each epoch, as one SVG file.

    Args:
        table: the rows of learning_curves.csv.
        names: of the models, in the order of their colours.
    """
    parts = [_learning(table, names, measure) for measure in ("loss", "accuracy")]
    title = "Loss (dashed: training) and validation accuracy after each epoch, mean of the runs"
    return charts.side_by_side(parts, names, title=title)


def render(facts: Facts, tables: Tables, pictures: Pictures) -> str:
    """The whole page."""
    names = list(facts.parameters["models"])
    runs, alpha = facts.parameters["runs"], facts.parameters["alpha"]
    environment = Environment(
        loader=PackageLoader("shallowdeep", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"data_uri": _data_uri, "interval": _interval, "p_value": _p_value}
    environment.filters["signed"] = lambda one: _interval(one, sign="+")
    return environment.get_template("report.html.jinja").render(
        sentence=sentence(facts.metrics, runs=runs, alpha=alpha),
        names=names,
        scores=SCORES,
        confidence=f"{100 * (1 - alpha):g} %",
        style=charts.STYLE,
        colours=len(charts.COLOURS),
        charts=_charts(tables, names, facts.metrics),
        confusion=_confusion(tables.confusion),
        parameters=_flat(facts.parameters),
        versions={name: version(name) for name in PACKAGES},
        metrics=facts.metrics,
        identity=facts.identity,
        data=facts.data,
        left_out=facts.left_out[:LISTED],
        **pictures._asdict(),
    )


def _learning(table: Table, names: Sequence[str], measure: str) -> str:
    """Chart of one measure, `loss` or `accuracy`."""
    rows = [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    curves = []
    for kind in ("validation", "train"):
        for number, name in enumerate(names):
            own = [r for r in rows if r["model"] == name and r["measure"] == f"{kind} {measure}"]
            if own:
                x, y, low, high = (_floats(own, key) for key in ("epoch", "mean", "low", "high"))
                training = kind == "train"
                band = ([], []) if training else (low, high)
                curves.append(Line(number, x, y, *band, dashed=training))
    ends = [value for curve in curves for value in (*curve.y, *curve.low, *curve.high)]
    epochs = max(curve.x[-1] for curve in curves)
    across = Axis("epoch", (1, epochs) if epochs > 1 else around([1]), whole=True)
    title = f"{measure} after each epoch: mean of the runs"
    return charts.lines(curves, across, Axis(measure, around(ends)), title=title)


def _charts(tables: Tables, names: Sequence[str], metrics: Json) -> dict[str, str]:
    learning = tables.learning_curves
    share = (0.0, 1.0)
    roc, calibration = [], []
    for number, name in enumerate(names):
        x, y, low, high = _columns(tables.roc, name, 1, 2, 3, 4)
        roc.append(Line(number, x, y, low, high))
        x, y = _columns(tables.calibration, name, 1, 2)
        calibration.append(Line(number, x, y, dots=True))
    rows = [
        Strip(
            number,
            name,
            _columns(tables.accuracy_by_run, name, 2)[0],
            *(_test(metrics, name)[key] for key in ("mean", "low", "high")),
        )
        for number, name in enumerate(names)
    ]
    ends = around([value for row in rows for value in (*row.values, row.low, row.high)])
    return {
        "loss": _learning(learning, names, "loss"),
        "accuracy": _learning(learning, names, "accuracy"),
        "by_run": charts.strips(
            rows, Axis("test accuracy", ends), title="Test accuracy of every run, and the interval"
        ),
        "roc": charts.lines(
            roc,
            Axis("false positive rate", share),
            Axis("true positive rate", share),
            title="ROC curves on the test pictures: mean of the runs",
            diagonal=True,
        ),
        "calibration": charts.lines(
            calibration,
            Axis("probability that the model says", share),
            Axis("how often it is so", share),
            title="Calibration on the test pictures, all runs",
            diagonal=True,
        ),
    }


def _columns(table: Table, model: str, *columns: int) -> list[list[float]]:
    """Some columns of a model's rows, as numbers."""
    own = [row for row in table[1:] if row[0] == model]
    return [[float(row[column]) for row in own] for column in columns]


def _floats(rows: Sequence[Mapping[str, str]], key: str) -> list[float]:
    return [float(row[key]) for row in rows]


def _confusion(table: Table) -> dict[str, dict[str, dict[str, float]]]:
    """Share by model, actual and predicted class."""
    shares: dict[str, dict[str, dict[str, float]]] = {}
    for model, actual, predicted, share in table[1:]:
        shares.setdefault(model, {}).setdefault(actual, {})[predicted] = float(share)
    return shares


def _flat(parameters: Json, prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots, as `dvc exp run -S` takes them."""
    flat: dict[str, Any] = {}
    for key, value in parameters.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = "" if value is None else value
    return flat


def _test(metrics: Json, name: str) -> Mapping[str, float]:
    accuracy: Mapping[str, float] = metrics[name]["test"]["accuracy"]
    return accuracy


def _interval(score: Mapping[str, float], *, sign: str = "") -> str:
    return f"{score['mean']:{sign}.3f} ({score['low']:{sign}.3f} to {score['high']:{sign}.3f})"


def _p_value(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _data_uri(pixels: NDArray[np.uint8]) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(pixels)).decode()}"
