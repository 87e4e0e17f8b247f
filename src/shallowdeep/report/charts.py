"""Charts of the report and the README. A further chart is one function and one entry in `CHARTS`.

The same bytes anywhere: fonts and defaults are matplotlib's own, no matplotlibrc counts, there is
no date, and coordinates have two decimals, which hide their last bits. Text stays text. Colours
are the CSS variables of `svg`.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import matplotlib.style
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from shallowdeep.evaluation.findings import Findings
from shallowdeep.evaluation.verdict import QUESTION
from shallowdeep.report.svg import SCHEMES, of_model, svg

_STYLE_FILE = Path(__file__).with_name("charts.mplstyle")
_SHARE = (0, 1)
_INK, _SOFT = SCHEMES["ink"][0], SCHEMES["soft"][0]
_LOGARITHMIC = 20  # from so many epochs on, their axis is logarithmic
_ROUND = (1, 2, 5, 10)  # steps between ticks


class Shown(NamedTuple):
    """The data of all charts."""

    tables: Mapping[str, pd.DataFrame]  # by name, as `tables.chart_tables` has them
    names: Sequence[str]  # of the networks, in the order of their colours
    found: Findings


class Chart(NamedTuple):
    """A chart of the page, as `CHARTS` describes it."""

    name: str
    section: Literal["verdict", "scores", "learning"]  # of the page; in the order of `CHARTS`
    title: str  # the text alternative
    caption: str  # {confidence} and {margin} are filled in
    draw: Callable[[Axes, Shown], None]
    height: Callable[[Shown], float] | None = None  # of the axes in inches, if it is not the usual


def drawn(shown: Shown) -> dict[str, str]:
    """All charts as SVG, by name."""
    found = {}
    for chart in CHARTS:
        with matplotlib.style.context(["default", _STYLE_FILE, {"svg.hashsalt": chart.title}]):
            figure = Figure()
            if chart.height:
                height = chart.height(shown)
                figure.set_figheight(height + 0.9)
                figure.subplots_adjust(bottom=0.7 / (height + 0.9), top=1 - 0.1 / (height + 0.9))
            chart.draw(figure.subplots(), shown)
            found[chart.name] = svg(figure, chart.title, standalone=False)
    return found


def learning_curves(shown: Shown) -> str:
    """Loss and accuracy of all models after each epoch, as an SVG file of its own."""
    names = shown.names
    title = "Loss (dashed: training) and validation accuracy after each epoch, mean of the runs"
    with matplotlib.style.context(["default", _STYLE_FILE, {"svg.hashsalt": title}]):
        columns = max(1, 100 // (max(map(len, names)) + 6))  # of the key: 100 letters fit in a line
        key = 0.15 + 0.28 * math.ceil(len(names) / columns)  # inches
        figure = Figure(figsize=(12.22, 4.0 + key))
        left, right = figure.subplots(1, 2)
        figure.subplots_adjust(
            left=0.07, right=0.985, top=1 - key / (4 + key), bottom=0.6 / (4 + key), wspace=0.18
        )
        _learning(left, shown, measure="loss")
        _learning(right, shown, measure="accuracy")
        for number, name in enumerate(names):
            left.plot([], [], "o", color=of_model(number), label=name)
        figure.legend(loc="upper left", ncols=columns, bbox_to_anchor=(0.06, 1))
        return svg(figure, title, standalone=True)


def _verdict(axes: Axes, shown: Shown) -> None:
    """One row per pair: its interval in points, and the zone in which networks are equal."""
    compared = shown.found.compared
    margin = 100 * compared[0].equivalence_margin
    axes.axvspan(-margin, margin, color=_SOFT, alpha=0.16, linewidth=0)
    axes.axvline(0, color=_SOFT, linewidth=1)
    reach = margin
    for row, one in enumerate(compared):
        mean, low, high = (
            100 * value for value in (one.difference.mean, one.difference.low, one.difference.high)
        )
        axes.plot([low, high], [-row] * 2, color=_INK)
        axes.plot([mean], [-row], "o", color=_INK, markersize=7)
        axes.annotate(str(one.pair), (0, -row + 0.38), xycoords=("axes fraction", "data"))
        reach = max(reach, abs(low), abs(high))
    axes.set(ylim=(-len(compared) + 0.5, 0.8), yticks=[], xlim=(-1.15 * reach, 1.15 * reach))
    first, second = QUESTION if len(compared) == 1 else ("first", "second")
    axes.set_xlabel(f"← {second} ahead  |  points of balanced accuracy  |  {first} ahead →")
    axes.xaxis.set_major_locator(MaxNLocator(9, steps=_ROUND))
    axes.spines["left"].set_visible(False)


def _by_epoch(axes: Axes, shown: Shown) -> None:
    table = shown.tables["difference_by_epoch"]
    margin = 100 * shown.found.question.equivalence_margin
    axes.axhline(0, color=_SOFT, linewidth=1)
    for edge in (-margin, margin):
        axes.axhline(edge, color=_SOFT, linewidth=1, linestyle="--")
    mean, low, high = (100 * table[name] for name in ("mean", "low", "high"))
    axes.fill_between(table.epoch, low, high, color=_INK, alpha=0.12, linewidth=0)
    axes.plot(table.epoch, mean, "o-", color=_INK, markersize=5, clip_on=False)
    for name, own in table.assign(mean=mean).groupby("ahead"):
        if name:
            colour = of_model(list(shown.names).index(str(name)))
            axes.plot(own.epoch, own["mean"], "o", color=colour, markersize=8, clip_on=False)
    axes.set(xlabel="epoch", ylabel=f"{QUESTION}, points")
    _epoch_axis(axes, table)
    if (last := table.epoch.max()) >= _LOGARITHMIC:
        axes.set(xscale="log", xlabel="epoch, logarithmic")
        decades = [first * 10**power for power in range(7) for first in (1, 3)]
        axes.set_xticks([epoch for epoch in decades if epoch <= last])
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.set_minor_locator(NullLocator())


def _epoch_axis(axes: Axes, table: pd.DataFrame) -> None:
    """Whole numbers from the first epoch to the last; a single one in the middle."""
    last = table.epoch.max()
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=_ROUND, integer=True, min_n_ticks=1))
    axes.set_xlim((1, last) if last > 1 else (0.5, 1.5))


def _by_model(shown: Shown, table: str) -> Iterator[tuple[int, pd.DataFrame]]:
    """Place and rows of each model in a table."""
    rows = shown.tables[table]
    return ((number, rows[rows.model == name]) for number, name in enumerate(shown.names))


def _learning(axes: Axes, shown: Shown, *, measure: str) -> None:
    for number, own in _by_model(shown, "learning_curves"):
        validation = own[own.measure == f"validation {measure}"]
        training = own[own.measure == f"train {measure}"]  # accuracy has none
        kind = "-" if len(validation) > 1 else "o-"
        _line(axes, number, validation.epoch, validation["mean"], kind)
        _band(axes, number, validation.epoch, validation.low, validation.high)
        axes.plot(training.epoch, training["mean"], "--", color=of_model(number), linewidth=1.4)
    axes.set(xlabel="epoch", ylabel=measure)
    _epoch_axis(axes, shown.tables["learning_curves"])
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=_ROUND))


def _roc(axes: Axes, shown: Shown) -> None:
    for number, own in _by_model(shown, "roc"):
        _line(axes, number, own.false_positive_rate, own.true_positive_rate, "-")
        _band(axes, number, own.false_positive_rate, own.low, own.high)
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    _diagonal(axes)


def _calibration(axes: Axes, shown: Shown) -> None:
    for number, own in _by_model(shown, "calibration"):
        x, y, areas = own.probability, own.share_of_second_class, own.answers / own.answers.max()
        _line(axes, number, x, y, "-")
        axes.scatter(x, y, 4 + 96 * areas, color=of_model(number), clip_on=False, zorder=2)
    axes.set(xlabel="probability that the model says", ylabel="how often it is so")
    _diagonal(axes)


def _by_run(axes: Axes, shown: Shown) -> None:
    """One row per model: a point per run, equal ones stacked, and the interval of their mean."""
    for number, own in _by_model(shown, "accuracy_by_run"):
        name, values = shown.names[number], sorted(own.accuracy)
        most, seen = max(Counter(values).values()), Counter[float]()
        step, heights = min(0.12, 0.45 / most), []  # below the name
        for value in values:
            heights.append(-number + step * seen[value])
            seen[value] += 1
        colour = of_model(number)
        axes.plot(values, heights, "o", color=colour, alpha=0.8, markersize=7)
        mean, _, low, high = shown.found.scores.models[name]["test"]["accuracy"]
        axes.plot([low, high], [-number - 0.2] * 2, color=colour)
        axes.plot([mean], [-number - 0.2], "|", color=colour, markersize=12, markeredgewidth=2)
        axes.annotate(name, (0, -number + 0.62), xycoords=("axes fraction", "data"), va="center")
    axes.set(xlabel="test accuracy", ylim=(-len(shown.names) + 0.6, 0.8), yticks=[])
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=_ROUND))
    axes.spines["left"].set_visible(False)


def _line(axes: Axes, number: int, x: object, y: object, kind: str) -> None:
    axes.plot(x, y, kind, color=of_model(number), markersize=6, clip_on=False)  # type: ignore[arg-type]


def _band(axes: Axes, number: int, x: object, low: object, high: object) -> None:
    axes.fill_between(x, low, high, color=of_model(number), alpha=0.16, linewidth=0)  # type: ignore[arg-type]


def _diagonal(axes: Axes) -> None:
    axes.plot(_SHARE, _SHARE, color=_SOFT, linestyle=(0, (1, 3)), linewidth=1)
    axes.set(xlim=_SHARE, ylim=_SHARE)


CHARTS = (
    Chart(
        "verdict",
        "verdict",
        f"Interval of {QUESTION} in balanced accuracy, beside the equivalence zone",
        "The {confidence} interval of the difference. Grey: differences of at most {margin} points,"
        " which do not matter.\nA network is better where the interval leaves out 0, if it does"
        " better than guessing; both are equal where the whole interval is in the grey.",
        _verdict,
        height=lambda shown: 0.3 + 0.6 * len(shown.found.compared),
    ),
    Chart(
        "by_epoch",
        "verdict",
        f"{QUESTION} in balanced accuracy after each epoch, with a simultaneous band",
        "The difference after each epoch looked at, with a band that holds at all of them at once."
        " Coloured: the network that is ahead; between the dashed lines differences do not matter.",
        _by_epoch,
    ),
    Chart(
        "by_run",
        "scores",
        "Test accuracy of every run, and the interval",
        "Test accuracy of every run (a point each), their mean and its interval (bar).",
        _by_run,
        height=lambda shown: 0.9 * len(shown.names),
    ),
    Chart(
        "loss",
        "learning",
        "Loss after each epoch: mean of the runs",
        "Loss: validation (solid, band: 80 % of the runs) and training (dashed).",
        partial(_learning, measure="loss"),
    ),
    Chart(
        "accuracy",
        "learning",
        "Accuracy after each epoch: mean of the runs",
        "Accuracy on the validation pictures; the band holds 80 % of the runs.",
        partial(_learning, measure="accuracy"),
    ),
    Chart(
        "roc",
        "learning",
        "ROC curves on the test pictures: mean of the runs",
        "ROC on the test pictures: mean of the runs; the band holds 80 % of them. The dotted line"
        " is guessing.",
        _roc,
    ),
    Chart(
        "calibration",
        "learning",
        "Calibration on the test pictures, all runs",
        "Calibration on the test pictures: on the dotted line, a model is right as often as it"
        " says. Areas of points: how many predictions each stands for.",
        _calibration,
    ),
)
