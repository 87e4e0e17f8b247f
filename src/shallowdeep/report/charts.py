"""Every chart of the report and the README, drawn by matplotlib from the tables behind the plots.

The same bytes anywhere: fonts and defaults are those that matplotlib brings, no matplotlibrc
counts, nothing tells the date, and coordinates have two decimals, so that no last bit of theirs
shows. Text stays text. A chart has the colours of `colours` as CSS variables.
"""

import io
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

import matplotlib.style
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from shallowdeep.evaluation.score_table import Scores
from shallowdeep.evaluation.verdict import Comparison
from shallowdeep.report.colours import SCHEMES, STYLE, of_model, with_variables

_STYLE_FILE = Path(__file__).with_name("charts.mplstyle")
_SHARE = (0, 1)
_INK, _SOFT = SCHEMES["ink"][0], SCHEMES["soft"][0]
_LOGARITHMIC = 20  # epochs from which on their axis is logarithmic
_ROUND = (1, 2, 5, 10)  # steps between ticks


class Tables(NamedTuple):
    """What the charts are drawn from; as CSV files in results/plots."""

    learning_curves: pd.DataFrame
    roc: pd.DataFrame
    calibration: pd.DataFrame
    confusion: pd.DataFrame
    accuracy_by_run: pd.DataFrame
    difference_by_epoch: pd.DataFrame


def drawn(
    tables: Tables, names: Sequence[str], scores: Scores, compared: Sequence[Comparison]
) -> dict[str, str]:
    """Every chart of the page as SVG, by the name that the page calls it.

    Args:
        tables: what the charts show.
        names: of the models, in the order of their colours.
        scores: the intervals below the runs.
        compared: what the verdicts stand on, that of the question first.
    """
    question = compared[0]
    interval = f"Interval of {question.pair} in balanced accuracy, beside the equivalence zone"
    by_epoch = f"{question.pair} in balanced accuracy after each epoch, with a simultaneous band"
    learning = tables.learning_curves
    loss = "Loss after each epoch: mean of the runs"
    accuracy = "Accuracy after each epoch: mean of the runs"
    by_run = "Test accuracy of every run, and the interval"
    roc = "ROC curves on the test pictures: mean of the runs"
    calibration = "Calibration on the test pictures, all runs"
    rows = 0.9 * len(names)
    return {
        "verdict": _chart(
            lambda axes: _verdict(axes, compared), interval, height=0.3 + 0.6 * len(compared)
        ),
        "by_epoch": _chart(
            lambda axes: _by_epoch(axes, tables.difference_by_epoch, names, question), by_epoch
        ),
        "loss": _chart(lambda axes: _learning(axes, learning, names, "loss"), loss),
        "accuracy": _chart(lambda axes: _learning(axes, learning, names, "accuracy"), accuracy),
        "by_run": _chart(
            lambda axes: _by_run(axes, tables.accuracy_by_run, names, scores), by_run, height=rows
        ),
        "roc": _chart(lambda axes: _roc(axes, tables.roc, names), roc),
        "calibration": _chart(
            lambda axes: _calibration(axes, tables.calibration, names), calibration
        ),
    }


def learning_curves(table: pd.DataFrame, names: Sequence[str]) -> str:
    """Loss and accuracy of all models after each epoch, as an SVG file that stands for itself.

    Args:
        table: of learning curves.
        names: of the models, in the order of their colours.
    """
    title = "Loss (dashed: training) and validation accuracy after each epoch, mean of the runs"
    with matplotlib.style.context(["default", _STYLE_FILE, {"svg.hashsalt": title}]):
        columns = max(1, 100 // (max(map(len, names)) + 6))  # of the key: 100 letters fit in a line
        key = 0.15 + 0.28 * math.ceil(len(names) / columns)  # inches
        figure = Figure(figsize=(12.22, 4.0 + key))
        left, right = figure.subplots(1, 2)
        figure.subplots_adjust(
            left=0.07, right=0.985, top=1 - key / (4 + key), bottom=0.6 / (4 + key), wspace=0.18
        )
        _learning(left, table, names, "loss")
        _learning(right, table, names, "accuracy")
        for number, name in enumerate(names):
            left.plot([], [], "o", color=of_model(number), label=name)
        figure.legend(loc="upper left", ncols=columns, bbox_to_anchor=(0.06, 1))
        return _svg(figure, title, standalone=True)


def _chart(draw: Callable[[Axes], None], title: str, *, height: float | None = None) -> str:
    """One pair of axes as SVG; `height` is that of the axes in inches, where it is not usual."""
    with matplotlib.style.context(["default", _STYLE_FILE, {"svg.hashsalt": title}]):
        figure = Figure()
        if height:
            figure.set_figheight(height + 0.9)
            figure.subplots_adjust(bottom=0.7 / (height + 0.9), top=1 - 0.1 / (height + 0.9))
        draw(figure.subplots())
        return _svg(figure, title, standalone=False)


def _verdict(axes: Axes, compared: Sequence[Comparison]) -> None:
    """A row a pair: its interval in points, and the zone in which networks are equal."""
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
    axes.set_xlabel("difference in points of balanced accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(9, steps=_ROUND))
    axes.spines["left"].set_visible(False)


def _by_epoch(axes: Axes, table: pd.DataFrame, names: Sequence[str], question: Comparison) -> None:
    margin = 100 * question.equivalence_margin
    axes.axhspan(-margin, margin, color=_SOFT, alpha=0.16, linewidth=0)
    axes.axhline(0, color=_SOFT, linewidth=1)
    mean, low, high = (100 * table[name] for name in ("mean", "low", "high"))
    axes.fill_between(table.epoch, low, high, color=_INK, alpha=0.12, linewidth=0)
    axes.plot(table.epoch, mean, "o-", color=_INK, markersize=5, clip_on=False)
    for name, own in table.assign(mean=mean).groupby("ahead"):
        if name:
            colour = of_model(list(names).index(str(name)))
            axes.plot(own.epoch, own["mean"], "o", color=colour, markersize=8, clip_on=False)
    axes.set(xlabel="epoch", ylabel=f"{question.pair}, points")
    last = table.epoch.max()
    if last >= _LOGARITHMIC:
        axes.set_xscale("log")
        axes.set_xticks([epoch for epoch in _decades() if epoch <= last])
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=_ROUND, integer=True, min_n_ticks=1))
    axes.set_xlim((1, last) if last > 1 else (0.5, 1.5))


def _decades() -> list[int]:
    """1, 3, 10, 30, ..., as far as epochs go."""
    return [first * 10**power for power in range(7) for first in (1, 3)]


def _learning(axes: Axes, table: pd.DataFrame, names: Sequence[str], measure: str) -> None:
    for number, name in enumerate(names):
        own = table[table.model == name]
        validation = own[own.measure == f"validation {measure}"]
        training = own[own.measure == f"train {measure}"]  # of accuracy there is none
        _line(axes, number, validation.epoch, validation["mean"], marker="one")
        _band(axes, number, validation.epoch, validation.low, validation.high)
        axes.plot(training.epoch, training["mean"], "--", color=of_model(number), linewidth=1.4)
    axes.set(xlabel="epoch", ylabel=measure)
    last = table.epoch.max()
    axes.set_xlim((1, last) if last > 1 else (0.5, 1.5))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=_ROUND, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=_ROUND))


def _roc(axes: Axes, table: pd.DataFrame, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        own = table[table.model == name]
        _line(axes, number, own.false_positive_rate, own.true_positive_rate)
        _band(axes, number, own.false_positive_rate, own.low, own.high)
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    _diagonal(axes)


def _calibration(axes: Axes, table: pd.DataFrame, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        own = table[table.model == name]
        _line(axes, number, own.probability, own.share_of_second_class, marker="all")
    axes.set(xlabel="probability that the model says", ylabel="how often it is so")
    _diagonal(axes)


def _by_run(axes: Axes, table: pd.DataFrame, names: Sequence[str], scores: Scores) -> None:
    """A row a model: a point a run, equal ones on each other, and the interval of their mean."""
    for number, name in enumerate(names):
        values = sorted(table.accuracy[table.model == name])
        most, seen = max(Counter(values).values()), Counter[float]()
        step, heights = min(0.12, 0.6 / most), []
        for value in values:
            heights.append(-number + step * seen[value])
            seen[value] += 1
        colour = of_model(number)
        axes.plot(values, heights, "o", color=colour, alpha=0.8, markersize=7)
        mean, _, low, high = scores.models[name]["test"]["accuracy"]
        axes.plot([low, high], [-number - 0.2] * 2, color=colour)
        axes.plot([mean], [-number - 0.2], "|", color=colour, markersize=12, markeredgewidth=2)
        axes.annotate(name, (0, -number + 0.62), xycoords=("axes fraction", "data"), va="center")
    axes.set(xlabel="test accuracy", ylim=(-len(names) + 0.6, 0.8), yticks=[])
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=_ROUND))
    axes.spines["left"].set_visible(False)


def _line(
    axes: Axes, number: int, x: "pd.Series[float]", y: "pd.Series[float]", *, marker: str = "none"
) -> None:
    """A model's curve, with a marker at all of its points, or where it has one alone."""
    dots = marker == "all" or (marker == "one" and len(x) == 1)
    kind = "o-" if dots else "-"
    axes.plot(x, y, kind, color=of_model(number), markersize=6, clip_on=False)


def _band(axes: Axes, number: int, x: object, low: object, high: object) -> None:
    axes.fill_between(x, low, high, color=of_model(number), alpha=0.16, linewidth=0)  # type: ignore[arg-type]


def _diagonal(axes: Axes) -> None:
    axes.plot(_SHARE, _SHARE, color=_SOFT, linestyle=(0, (1, 3)), linewidth=1)
    axes.set(xlim=_SHARE, ylim=_SHARE)


def _svg(figure: Figure, title: str, *, standalone: bool) -> str:
    """The figure as an `svg` element with a text alternative, responsive within a page."""
    file = io.StringIO()
    figure.savefig(
        file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
    )
    content = file.getvalue()
    content = content[content.index("<svg") :]
    content = re.sub(r"<!--.*?-->\s*|<metadata>.*?</metadata>\s*", "", content, flags=re.DOTALL)
    content = re.sub(r'<g id="[^"]*"', "<g", content)  # the same in every chart of a page
    content = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", content)
    content = re.sub(r"<[^>]*>", _rounded, content)
    body = content.partition(">")[2]  # all but the tag's own size and links
    width, height = (72 * inches for inches in figure.get_size_inches())
    box = f'viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    style = f"<style>{STYLE}</style>" if standalone else ""
    size = f'width="{width:.0f}" height="{height:.0f}" ' if standalone else ""
    return f"<svg {links} {size}{box}><title>{escape(title)}</title>{style}{with_variables(body)}"


def _rounded(tag: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", tag[0])
