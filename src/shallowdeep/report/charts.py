"""Line and strip charts as SVG: the same bytes anywhere, and no library's second of start-up.

Colours are classes (``model-0`` and so on), defined in `STYLE` for light and dark; a page that
holds charts has it once.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 440, 300
LEFT, RIGHT, TOP, BOTTOM = 56, 424, 12, 256  # edges of the plotting area

COLOURS = (  # of the models, in light and dark schemes, told apart without red and green too
    ("#0a6ebd", "#63b3f3"),
    ("#c2500a", "#f59a57"),
    ("#147a52", "#58c99a"),
    ("#8a4a9e", "#cf9be0"),
    ("#8a6d00", "#d9bc4a"),
    ("#a3244f", "#f28bab"),
    ("#4d5a66", "#a9b6c2"),
)


def _scheme(ink: str, soft: str, line: str, models: Iterable[str]) -> str:
    colours = "".join(f" --model-{number}: {colour};" for number, colour in enumerate(models))
    return f":root {{ --ink: {ink}; --soft: {soft}; --line: {line};{colours} }}"


_LIGHT = _scheme("#1d2430", "#5a6472", "#d5dae1", [light for light, _ in COLOURS])
_DARK = _scheme("#e6e9ee", "#a3adba", "#39414d", [dark for _, dark in COLOURS])
STYLE = f"""{_LIGHT}
@media screen and (prefers-color-scheme: dark) {{ {_DARK} }}
svg text {{ fill: var(--ink); font: 12px system-ui, sans-serif; }}
.middle {{ text-anchor: middle; }}
.end {{ text-anchor: end; }}
.axis {{ stroke: var(--soft); fill: none; }}
.grid {{ stroke: var(--line); fill: none; stroke-width: .6; }}
.guide {{ stroke: var(--soft); fill: none; stroke-dasharray: 2 4; }}
.line {{ fill: none; stroke-width: 2; stroke-linejoin: round; }}
.dashed {{ stroke-dasharray: 6 4; stroke-width: 1.4; }}
.band {{ opacity: .16; }}
.dot {{ opacity: .8; }}
""" + "\n".join(
    f".line.model-{n} {{ stroke: var(--model-{n}); }}"
    f" .band.model-{n}, .dot.model-{n} {{ fill: var(--model-{n}); }}"
    for n in range(len(COLOURS))
)

Range = tuple[float, float]


class Line(NamedTuple):
    """One curve."""

    model: int  # whose colour
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()  # edges of the band around it, if it has one
    high: Sequence[float] = ()
    dashed: bool = False
    dots: bool = False


class Strip(NamedTuple):
    """The runs of one model, on a row of their own."""

    model: int  # whose colour
    name: str
    values: Sequence[float]
    mean: float
    low: float  # of the mean's interval
    high: float


class Axis(NamedTuple):
    """What an axis says, and where it begins and ends."""

    label: str
    range: Range
    whole: bool = False  # only whole numbers mean something


def lines(curves: Sequence[Line], x: Axis, y: Axis, *, title: str, diagonal: bool = False) -> str:
    """Curves in one pair of axes.

    Args:
        curves: what to draw.
        x: horizontal axis.
        y: vertical axis.
        title: what the chart shows, for those who do not see it.
        diagonal: draw the line from corner to corner too.
    """
    across, up = _scale(x.range, LEFT, RIGHT), _scale(y.range, BOTTOM, TOP)
    parts = [_horizontal_axis(x, across), _vertical_axis(y, up)]
    if diagonal:
        parts.append(f'<path class="guide" d="M{LEFT} {BOTTOM}L{RIGHT} {TOP}"/>')
    for curve in curves:
        if curve.low:
            there = zip(curve.x, curve.high, strict=True)
            back = zip(reversed(curve.x), reversed(curve.low), strict=True)
            edge = _path([(across(a), up(b)) for a, b in (*there, *back)])
            parts.append(f'<path class="band {_colour(curve.model)}" d="{edge}Z"/>')
    for curve in curves:
        points = [(across(a), up(b)) for a, b in zip(curve.x, curve.y, strict=True)]
        kind = "dashed line" if curve.dashed else "line"
        parts.append(f'<path class="{kind} {_colour(curve.model)}" d="{_path(points)}"/>')
        if curve.dots or len(points) == 1:
            parts += [_dot(*point, curve.model, 3) for point in points]
    return _svg(parts, title, HEIGHT)


def strips(rows: Sequence[Strip], x: Axis, *, title: str) -> str:
    """A point a run, a row a model, and each mean with its interval below the points."""
    across = _scale(x.range, LEFT, RIGHT)
    height = TOP + 64 * len(rows) + HEIGHT - BOTTOM
    parts = [_horizontal_axis(x, across, bottom=height - HEIGHT + BOTTOM)]
    for number, row in enumerate(rows):
        middle = TOP + 64 * number + 26
        parts.append(f'<text class="end" x="{LEFT - 8}" y="{middle + 4}">{escape(row.name)}</text>')
        most = max(map(row.values.count, row.values))
        step = min(6, 30 / max(1, most - 1))  # equal ones stay within their row
        for place, value in enumerate(sorted(row.values)):
            same = sum(other == value for other in sorted(row.values)[:place])
            parts.append(_dot(across(value), middle - step * same, row.model, 4))
        low, mean, high = across(row.low), across(row.mean), across(row.high)
        bar = f"M{low:.1f} {middle + 18}H{high:.1f}M{mean:.1f} {middle + 12}v12"
        parts.append(f'<path class="line {_colour(row.model)}" d="{bar}"/>')
    return _svg(parts, title, height)


def side_by_side(parts: Sequence[str], names: Sequence[str], *, title: str) -> str:
    """Charts as one picture that stands for itself, with a key to the models' colours."""
    placed = [
        part.replace("<svg ", f'<svg x="{WIDTH * i}" y="24" width="{WIDTH}" height="{HEIGHT}" ', 1)
        for i, part in enumerate(parts)
    ]
    width = WIDTH * len(parts)
    key = [
        f'{_dot(x, 12, i, 5)}<text x="{x + 10}" y="16">{escape(name)}</text>'
        for i, (x, name) in enumerate(zip(itertools.count(LEFT, 110), names, strict=False))
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT + 24}" '
        f'viewBox="0 0 {width} {HEIGHT + 24}" role="img">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
        f"{''.join(key)}{''.join(placed)}</svg>\n"
    )


def around(values: Sequence[float]) -> Range:
    """A range that holds all values, with a little room."""
    low, high = min(values), max(values)
    room = (high - low) * 0.05 or 0.05 * abs(low) or 1.0
    return low - room, high + room


def _svg(parts: Sequence[str], title: str, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def _scale(values: Range, start: float, end: float) -> Callable[[float], float]:
    low, high = values

    def place(value: float) -> float:
        return start + (value - low) / (high - low) * (end - start)

    return place


def _colour(model: int) -> str:
    return f"model-{model % len(COLOURS)}"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _dot(x: float, y: float, model: int, radius: int) -> str:
    return f'<circle class="dot {_colour(model)}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'


def _horizontal_axis(axis: Axis, across: Callable[[float], float], *, bottom: int = BOTTOM) -> str:
    parts = [f'<path class="axis" d="M{LEFT} {bottom}H{RIGHT}"/>']
    for value, text in _ticks(axis):
        x = across(value)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>')
        parts.append(f'<text class="middle" x="{x:.1f}" y="{bottom + 17}">{text}</text>')
    middle = (LEFT + RIGHT) / 2
    parts.append(f'<text class="middle" x="{middle}" y="{bottom + 37}">{escape(axis.label)}</text>')
    return "".join(parts)


def _vertical_axis(axis: Axis, up: Callable[[float], float]) -> str:
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{BOTTOM}"/>']
    for value, text in _ticks(axis):
        y = up(value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>')
        parts.append(f'<text class="end" x="{LEFT - 6}" y="{y + 4:.1f}">{text}</text>')
    turn = f'transform="translate(14 {(TOP + BOTTOM) / 2}) rotate(-90)"'
    return "".join(parts) + f'<text class="middle" {turn}>{escape(axis.label)}</text>'


def _ticks(axis: Axis) -> list[tuple[float, str]]:
    """Up to seven round numbers inside an axis' range, and how they are written."""
    low, high = axis.range
    unit = 10.0 ** math.floor(math.log10((high - low) / 3))
    step = next(unit * m for m in (5, 2, 1) if (high - low) / (unit * m) > 3 - 1e-9)
    step = max(step, 1) if axis.whole else step
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(i * step, f"{i * step:.{decimals}f}") for i in range(first, last + 1)]
