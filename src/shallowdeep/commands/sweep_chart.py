"""The picture of a sweep: the difference with its interval against each parameter."""

import io
from importlib.resources import as_file, files

import matplotlib.style
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shallowdeep.evaluation.verdict import QUESTION
from shallowdeep.report.svg import SCHEMES

_INK, _SOFT = SCHEMES["ink"][0], SCHEMES["soft"][0]
_SPREAD = 0.6  # of the way from one value to the next, over which its experiments lie

_UPRIGHT = 6  # values whose names find room beside each other


def against_each_parameter(rows: pd.DataFrame, parameters: list[str], *, margin: float) -> str:
    """As an SVG file: a panel a parameter, in each every experiment, those of one value together.

    Args:
        rows: with a column for each parameter, and `mean`, `low` and `high` of the difference.
        parameters: whose names are columns.
        margin: within which networks are equal.
    """
    styles = as_file(files("shallowdeep.report") / "charts.mplstyle")
    with styles as style, matplotlib.style.context(["default", style]):
        figure = Figure(figsize=(0.8 + 5.2 * len(parameters), 4.2), layout="constrained")
        figure.set_facecolor("white")
        panels = figure.subplots(1, len(parameters), sharey=True, squeeze=False)[0]
        for axes, name in zip(panels, parameters, strict=True):
            _panel(axes, rows, name, margin=100 * margin)
        panels[0].set_ylabel(f"{QUESTION}, points")
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _panel(axes: Axes, rows: pd.DataFrame, name: str, *, margin: float) -> None:
    axes.axhspan(-margin, margin, color=_SOFT, alpha=0.16, linewidth=0)
    axes.axhline(0, color=_SOFT, linewidth=1)
    values = list(dict.fromkeys(rows[name]))
    for place, value in enumerate(values):
        own = 100 * rows.loc[rows[name] == value, ["mean", "low", "high"]]
        for i, (mean, low, high) in enumerate(own.itertuples(index=False)):
            x = place + _SPREAD * ((i + 0.5) / len(own) - 0.5)
            axes.plot([x, x], [low, high], color=_INK, linewidth=1.4)
            axes.plot([x], [mean], "o", color=_INK, markersize=5)
    axes.set(xlabel=name, xlim=(-0.5, len(values) - 0.5))
    axes.set_xticks(range(len(values)), values)
    axes.tick_params("x", rotation=0 if len(values) <= _UPRIGHT else 45)
    axes.grid(visible=False, axis="x")
