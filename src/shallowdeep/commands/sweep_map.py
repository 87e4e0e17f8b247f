"""The picture of a sweep: the verdict at every setting, over two parameters."""

import itertools
from importlib.resources import as_file, files

import matplotlib.style
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from shallowdeep.evaluation.verdict import DEEP, EQUAL, QUESTION, SHALLOW, UNDECIDED
from shallowdeep.report.svg import SCHEMES, of_model, svg

_INK, _SOFT = SCHEMES["ink"][0], SCHEMES["soft"][0]
_CELL = 1.25, 0.62  # inches
_FILL = {  # colour and opacity of a cell
    SHALLOW: (of_model(0), 0.35),
    DEEP: (of_model(1), 0.35),
    EQUAL: (_SOFT, 0.35),
    UNDECIDED: (_SOFT, 0.0),
}


def verdict_map(rows: pd.DataFrame, parameters: list[str], *, title: str) -> str:
    """Draw a panel for each value of all but two parameters, a cell for each value of those.

    Args:
        rows: with a column for each parameter, and `mean` and `verdict`.
        parameters: whose names are columns.
        title: of the figure, and its text alternative.

    Returns:
        An SVG file for light and dark schemes. The two parameters with the most values are the
        axes; a cell has the verdict's colour and word, and the difference in points.
    """
    by_size = sorted(parameters, key=lambda name: -rows[name].nunique())  # stable
    across, down = [*by_size, ""][:2]
    others = [name for name in parameters if name not in (across, down)]
    panels = list(itertools.product(*(dict.fromkeys(rows[name]) for name in others)))
    columns, lines = (list(dict.fromkeys(rows[name])) if name else [""] for name in (across, down))
    width, height = _CELL[0] * len(columns) + 1.4, _CELL[1] * len(lines) + 0.9
    styles = as_file(files("shallowdeep.report") / "charts.mplstyle")
    with styles as style, matplotlib.style.context(["default", style]):
        figure = Figure(figsize=(width * len(panels), height + 0.4), layout="constrained")
        axes_of = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, values in zip(axes_of, panels, strict=True):
            chosen = dict(zip(others, values, strict=True))
            own = rows[(rows[others] == pd.Series(chosen, dtype=object)).all(axis=1)]
            _panel(axes, own, across, down, columns, lines)
            axes.set_title(", ".join(f"{name} {value}" for name, value in chosen.items()))
        axes_of[0].set_ylabel(down)
        figure.suptitle(title, x=0.01, ha="left", color=_INK)
        return svg(figure, title, standalone=True)


def _panel(
    axes: Axes, rows: pd.DataFrame, across: str, down: str, columns: list[str], lines: list[str]
) -> None:
    for row in rows.to_dict("records"):
        x, y = columns.index(row[across]), lines.index(row[down] if down else "")
        colour, opacity = _FILL[row["verdict"]]
        axes.axvspan(
            x - 0.5,
            x + 0.5,
            1 - (y + 1) / len(lines),
            1 - y / len(lines),
            facecolor=to_rgba(colour, opacity),
            edgecolor=_SOFT,
            linewidth=0.8,
        )
        text = f"{row['verdict']}\n{100 * row['mean']:+.1f}"
        axes.text(x, y, text, ha="center", va="center", color=_INK, linespacing=1.4)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(lines) - 0.5, -0.5), xlabel=across)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(lines)), lines)
    axes.grid(visible=False)
    axes.tick_params(length=0)


TITLE = f"The verdict at each setting; {QUESTION}, points"
