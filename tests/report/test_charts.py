"""Charts are well-formed SVG, points are where the numbers are, the same bytes anywhere."""

import functools
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from shallowdeep.evaluation.findings import Findings
from shallowdeep.evaluation.intervals import Difference, Interval
from shallowdeep.evaluation.score_table import ScoreTable
from shallowdeep.evaluation.verdict import QUESTION, Comparison
from shallowdeep.report.charts import Shown, drawn, learning_curves
from shallowdeep.report.svg import MODELS, STYLE

SVG = "{http://www.w3.org/2000/svg}"


def shown(names=("shallow", "deep"), *, epochs=10, accuracies=(0.5, 0.6, 0.6), loss=0.7):
    """Tables of straight lines."""
    share = np.linspace(0, 1, 11)
    curves, roc, calibration, by_run = [], [], [], []
    for number, name in enumerate(names):
        for measure in ("train loss", "validation loss", "validation accuracy"):
            mean = loss * np.linspace(1, 0.5, epochs) + 0.01 * number
            columns = {"model": name, "epoch": range(1, epochs + 1), "measure": measure}
            band = {"mean": mean, "low": 0.9 * mean, "high": 1.1 * mean}
            curves.append(pd.DataFrame(columns | band))
        rates = {"false_positive_rate": share, "true_positive_rate": share**0.5}
        band = {"low": share, "high": share**0.25}
        roc.append(pd.DataFrame({"model": name} | rates | band))
        rates = {"probability": share, "share_of_second_class": share, "answers": 1}
        calibration.append(pd.DataFrame({"model": name} | rates))
        by_run.append(pd.DataFrame({"model": name, "accuracy": list(accuracies)}))
    frames = [pd.concat(each, ignore_index=True) for each in (curves, roc, calibration, by_run)]
    some = np.unique(np.geomspace(1, epochs, 16).round()).astype(int)
    by_epoch = pd.DataFrame({"epoch": some, "mean": -loss / 10 / some})
    by_epoch["low"], by_epoch["high"] = by_epoch["mean"] - 0.02, by_epoch["mean"] + 0.02
    by_epoch["ahead"] = np.where(by_epoch["high"] < 0, names[0], "")
    keys = ("learning_curves", "roc", "calibration", "accuracy_by_run")
    tables = dict(zip(keys, frames, strict=True)) | {"difference_by_epoch": by_epoch}
    scores = {name: {"test": {"accuracy": Interval(0.57, 0.1, 0.5, 0.62)}} for name in names}
    difference = Difference(-0.03, 0.01, -0.05, -0.01, 0.01)
    question = Comparison(QUESTION, {}, difference, 10, 10, 1_600, 0.05, 0.02, "")
    return Shown(
        tables, names, Findings(ScoreTable(scores, {}, {}, {}), question, [question], [], [])
    )


@functools.cache
def charts(*args, **kwargs):
    """Every chart as SVG."""
    return drawn(shown(*args, **kwargs))


def elements(svg, kind, *styles):
    """Those whose style holds some words."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}{kind}")
    return [one for one in found if all(style in one.get("style", "") for style in styles)]


def texts(svg):
    return [element.text for element in elements(svg, "text")]


def points(path):
    return [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", path.get("d"))]


def drawn_in(svg, colour, style):
    return elements(svg, "path", f"var(--{colour})", style)


def test_points_lie_where_the_numbers_say():
    """A straight line from corner to corner, on the diagonal; a line inside of its band."""
    svg = charts()["calibration"]
    (diagonal,) = drawn_in(svg, "soft", "stroke-dasharray")
    (line, *_) = drawn_in(svg, "model-1", "fill: none")
    assert points(line)[:: len(points(line)) - 1] == [points(diagonal)[0], points(diagonal)[-1]]
    steps = np.diff(points(line), axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=0.011)
    svg = charts()["loss"]
    for number in (0, 1):
        (use,) = elements(svg, "use", "opacity: 0.16", f"model-{number}")
        name = use.get("{http://www.w3.org/1999/xlink}href").removeprefix("#")
        (band,) = [path for path in elements(svg, "path") if path.get("id") == name]
        assert band.get("d").rstrip().endswith("z")
        line, *_ = drawn_in(svg, f"model-{number}", "fill: none")
        for x, y in points(line):
            heights = [b + float(use.get("y")) for a, b in points(band) if a == x]
            assert min(heights) < y < max(heights)


@pytest.mark.parametrize("loss", [0.7, 0.0, 1e-9, 1e9, -3.0])
def test_training_is_dashed_and_validation_is_not(loss):
    """And of accuracy there is no training curve; constant, tiny or huge numbers are drawn too."""
    found = charts(loss=loss)
    assert "nan" not in found["loss"].lower()
    for number in (0, 1):
        assert len(drawn_in(found["loss"], f"model-{number}", "stroke-dasharray")) == 1
        assert len(drawn_in(found["loss"], f"model-{number}", "fill: none")) == 2
        assert len(drawn_in(found["accuracy"], f"model-{number}", "fill: none")) == 1


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [(1, {"1"}), (2, {"1", "2"}), (10, {"2", "4", "10"}), (100, {"20", "100"})],
)
def test_epochs_are_whole_numbers(epochs, expected):
    """Few enough to read; a single epoch is a point."""
    svg = charts(epochs=epochs)["loss"]
    ticks = texts(svg)[: texts(svg).index("epoch")]
    assert expected <= set(ticks) and all(re.fullmatch(r"\d+", tick) for tick in ticks)
    assert len(ticks) <= 8
    assert len(elements(svg, "use")) >= len(ticks) + (2 if epochs == 1 else 0)


def test_names_are_text_and_no_markup():
    """They come from params.yaml; text can be selected, and has the reader's font."""
    names = ("<a>&", "n" * 60)
    found = charts(names)
    assert set(names) <= set(texts(found["by_run"]))
    svg = learning_curves(shown(names))
    assert set(names) <= set(texts(svg))
    assert all("system-ui" in text.get("style") for text in elements(svg, "text"))
    assert "DejaVu" not in svg


def test_equal_runs_lie_on_each_other_and_stay_in_their_row():
    """Each is seen, however many they are."""
    few = charts(accuracies=(0.5, 0.5, 0.7))["by_run"]
    dots = elements(few, "use", "model-0")
    assert len({(dot.get("x"), dot.get("y")) for dot in dots}) == 3 + 1  # and the mean
    many = charts(accuracies=(0.5,) * 1_000)["by_run"]
    rows = [[float(use.get("y")) for use in elements(many, "use", f"model-{n}")] for n in (0, 1)]
    assert [len(row) for row in rows] == [1_001, 1_001]
    assert max(rows[0]) < min(rows[1])


def test_any_number_of_models_has_colours():
    """They come round again."""
    svg = charts(tuple(f"model{number}" for number in range(len(MODELS) + 2)))["roc"]
    assert len(drawn_in(svg, "model-0", "fill: none")) == 2
    assert len(drawn_in(svg, "model-6", "fill: none")) == 1


def test_charts_of_one_page_share_no_id():
    """And each has a text alternative, a box that scales, and no colour of one scheme alone."""
    found = charts()
    ids = [one for svg in found.values() for one in set(re.findall(r' id="([^"]*)"', svg))]
    assert len(ids) == len(set(ids))
    for svg in found.values():
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img" and root.get("viewBox") and root.get("width") is None
        assert root.find(f"{SVG}title").text
        assert not re.search(r"#[0-9a-f]{6}|<!--|<metadata", svg)
        for reference in re.findall(r'url\(#(.*?)\)|href="#(.*?)"', svg):
            assert f'id="{"".join(reference)}"' in svg


def test_the_file_stands_for_itself():
    """It defines its colours for both schemes, and has a size."""
    svg = learning_curves(shown())
    root = ElementTree.fromstring(svg)
    assert root.find(f"{SVG}style").text == STYLE
    assert "prefers-color-scheme: dark" in STYLE
    assert root.get("width")
    assert {"shallow", "deep", "loss", "accuracy", "epoch"} <= set(texts(svg))


PRINT = """
import sys
sys.path.insert(0, sys.argv[1])
from test_charts import charts, learning_curves, shown
print(*charts().values(), learning_curves(shown()))
"""
HOSTILE = """
font.size: 30
svg.fonttype: path
svg.hashsalt: another
text.color: red
axes.unicode_minus: False
path.simplify: False
savefig.bbox: tight
figure.dpi: 300
"""
VARIED = {"PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Kathmandu", "SOURCE_DATE_EPOCH": "1"}
VARIED |= {"OPENBLAS_CORETYPE": "Nehalem", "OMP_NUM_THREADS": "3", "MPLBACKEND": "pdf"}


def test_the_same_bytes_anywhere(tmp_path):
    """With any hash seed, locale, time zone, processor, number of threads and matplotlibrc."""
    (tmp_path / "matplotlibrc").write_text(HOSTILE)
    svgs = subprocess.run(
        [sys.executable, "-c", PRINT, str(Path(__file__).parent)],
        cwd=tmp_path,
        env=os.environ | VARIED | {"MATPLOTLIBRC": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert svgs == " ".join([*charts().values(), learning_curves(shown())]) + "\n"
