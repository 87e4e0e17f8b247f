"""Charts are well-formed SVG whose points are where the numbers say."""

import re
from xml.etree import ElementTree

import pytest

from shallowdeep.report.charts import (
    BOTTOM,
    COLOURS,
    LEFT,
    RIGHT,
    TOP,
    Axis,
    Line,
    Strip,
    around,
    lines,
    side_by_side,
    strips,
)

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def path_of(svg, kind):
    (found,) = (
        element.get("d")
        for element in ElementTree.fromstring(svg).iter(f"{SVG}path")
        if (element.get("class") or "").startswith(kind)
    )
    return found


def test_a_line_runs_from_corner_to_corner():
    """The ends of the axes are the edges of the plotting area."""
    svg = lines([Line(0, [0, 1], [0, 2])], Axis("x", (0, 1)), Axis("y", (0, 2)), title="t")
    assert path_of(svg, "line") == f"M{LEFT:.1f} {BOTTOM:.1f}L{RIGHT:.1f} {TOP:.1f}"


def test_a_band_goes_along_the_top_and_back_along_the_bottom():
    """It is one closed shape."""
    line = Line(1, [0, 1], [1, 1], low=[0, 0], high=[2, 2])
    svg = lines([line], Axis("x", (0, 1)), Axis("y", (0, 2)), title="t")
    corners = [(LEFT, TOP), (RIGHT, TOP), (RIGHT, BOTTOM), (LEFT, BOTTOM)]
    expected = "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
    assert path_of(svg, "band model-1") == f"M{expected}Z"


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (Axis("", (0, 1)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (Axis("", (0.58, 0.66)), ["0.58", "0.60", "0.62", "0.64", "0.66"]),
        (Axis("", (1, 2), whole=True), ["1", "2"]),
        (Axis("", around([1]), whole=True), ["1"]),
        (Axis("", (1, 100), whole=True), ["20", "40", "60", "80", "100"]),
        (Axis("", (-0.3, 0.3)), ["-0.2", "0.0", "0.2"]),
    ],
)
def test_ticks_are_round_numbers(axis, expected):
    """Few enough to read, and whole where only whole numbers mean something."""
    svg = lines([Line(0, [1], [0.5])], axis, Axis("y", (0, 1)), title="t")
    assert texts(svg)[: len(expected)] == expected
    assert texts(svg)[len(expected)] is None  # the axis' label, which is empty


def test_names_are_escaped():
    """They come from params.yaml and from folders."""
    svg = strips([Strip(0, "<a>&", [0.5], 0.5, 0.4, 0.6)], Axis("<x>", (0, 1)), title='"t" & <t>')
    assert {"<a>&", "<x>"} <= set(texts(svg))
    assert ElementTree.fromstring(side_by_side([svg, svg], ["<b>"], title="<t>")) is not None


def test_equal_runs_stand_on_each_other():
    """Each is seen."""
    svg = strips([Strip(0, "a", [0.5, 0.5, 0.7], 0.6, 0.5, 0.7)], Axis("x", (0, 1)), title="t")
    dots = [
        (element.get("cx"), element.get("cy"))
        for element in ElementTree.fromstring(svg).iter(f"{SVG}circle")
    ]
    assert len(set(dots)) == 3


def test_any_number_of_models_has_colours():
    """They come round again."""
    svg = lines(
        [Line(len(COLOURS), [0, 1], [0, 1])], Axis("x", (0, 1)), Axis("y", (0, 1)), title="t"
    )
    assert path_of(svg, "line model-0")


def test_a_pile_of_equal_runs_stays_in_its_row():
    """However many they are."""
    rows = [Strip(i, name, [0.5] * 60, 0.5, 0.4, 0.6) for i, name in enumerate("ab")]
    svg = strips(rows, Axis("x", (0, 1)), title="t")
    heights = [float(y) for y in re.findall(r'class="dot model-1".*?cy="([\d.]+)"', svg)]
    assert len(heights) == 60
    assert min(heights) > TOP + 64 - 8


@pytest.mark.parametrize("values", [[0.0], [3.0, 3.0], [-1.0, 1.0]])
def test_a_range_has_room_around_its_values(values):
    """Even around a single one."""
    low, high = around(values)
    assert low < min(values) <= max(values) < high
