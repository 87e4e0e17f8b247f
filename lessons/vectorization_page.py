"""The measured loops as a table, a CSV file, a chart and a page of the documentation."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lessons.loops import Loops
from shallowdeep.files.atomic import replacing, write_text

PAGE, TABLE, CHART = (
    "docs/vectorization.md",
    "benchmarks/vectorization.csv",
    "benchmarks/vectorization.png",
)
NONE = Loops(samples=False, neurons=False, features=False)
ALL = Loops(samples=True, neurons=True, features=True)
REMOVABLE = {
    "samples": "a sample's result needs no other sample; they are columns of one matrix",
    "neurons": "a neuron needs the layer below, no neighbour; they are rows of one matrix",
    "features": "a sum of products, in any order: what a dot product is",
}
NEEDED = {
    "epochs": "an epoch starts from the weights that the epoch before has left",
    "batches": "a step starts from the weights that the step before has left",
    "layers": "layer l needs the output of layer l - 1",
}


class Timing(NamedTuple):
    """Seconds of processor time; comparisons take the lowest, which was disturbed least."""

    low: float
    median: float
    high: float
    repetitions: int


class Measured(NamedTuple):
    """All that was measured."""

    shape: tuple[int, int, int]  # features, neurons, samples
    cores: int
    apart: float  # largest difference between variants, relative
    variants: Mapping[Loops, Timing]  # of a forward and a backward pass
    wrong_by: Mapping[str, float]  # loop that cannot go: largest difference in probability
    width: int  # neurons of every layer in `depths`
    depths: Mapping[int, Timing]  # layers: forward pass


def write(folder: Path, measured: Measured) -> None:
    """Write the CSV file, the chart and the page."""
    with replacing(folder / TABLE) as path, path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(_csv_rows(measured))
    with replacing(folder / CHART) as path:
        _draw(measured, path)
    write_text(folder / PAGE, page(measured))


def _csv_rows(measured: Measured) -> Iterable[Sequence[object]]:
    yield *Loops._fields, *(f"seconds_{name}" for name in Timing._fields[:3]), "repetitions"
    for variant, timing in measured.variants.items():
        yield *map(int, variant), *(f"{s:.4g}" for s in timing[:3]), timing.repetitions


def tables(measured: Measured) -> str:
    """The loops, and the combinations of loops."""
    return f"{_loop_table(measured)}\n\n{_variant_table(measured)}"


def _loop_table(measured: Measured) -> str:
    rows = []
    for loop, why in REMOVABLE.items():
        only, all_but = NONE._replace(**{loop: True}), ALL._replace(**{loop: False})
        rows.append(
            [loop, "yes", why, _slower(measured, only, NONE), _slower(measured, ALL, all_but)]
        )
    rows += [[loop, "no", why, "", ""] for loop, why in NEEDED.items()]
    head = ["loop", "can go", "why", "times slower with it alone", "with it besides the other two"]
    return markdown(head, rows)


def _slower(measured: Measured, one: Loops, other: Loops) -> str:
    return _number(measured.variants[one].low / measured.variants[other].low)


def _variant_table(measured: Measured) -> str:
    rows = [
        [
            str(variant),
            *(_number(1000 * seconds) for seconds in timing[:3]),
            str(timing.repetitions),
            _slower(measured, variant, NONE),
        ]
        for variant, timing in measured.variants.items()
    ]
    return markdown(
        ["loops written out", "ms, lowest", "median", "highest", "repetitions", "times slower"],
        rows,
    )


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, all cells as they are."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float) -> str:
    """Two digits, or all digits before the point."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def page(measured: Measured) -> str:
    """docs/vectorization.md."""
    features, neurons, samples = measured.shape
    wrong = [[loop, f"{by:.2f}"] for loop, by in measured.wrong_by.items()]
    depths = [
        [str(depth), _number(1e6 * timing.low), _number(1e6 * timing.low / depth)]
        for depth, timing in measured.depths.items()
    ]
    return f"""\
# Which loops vectorisation removes

Written by `make vectorization`; do not edit. Training a network by hand takes six loops: over
epochs, batches, layers, samples, neurons and features.
[loops.py](../lessons/loops.py) has one layer's forward and backward pass with the
last three written out, each of which can be vectorised by itself.
Measured: {features:,} features, {neurons} neurons, {samples} samples, the
article's first layer on smaller pictures, in float64, with one thread on a machine with
{measured.cores} cores. All eight variants give the same numbers: they differ by at most
{measured.apart:.0e} of the largest.

{tables(measured)}

![Time of every combination of loops](../benchmarks/vectorization.png)

The figures are in [vectorization.csv](../benchmarks/vectorization.csv). What a loop costs is the
number of its turns times what Python spends on a turn. With all three written out there are
{features * neurons * samples:,} innermost turns, and Python takes far longer to fetch two numbers
than to multiply them. A loop with few turns around large products costs little, and vectors of only
{neurons} numbers, one for each neuron, hardly pay: small pieces are slow, not the word `for`.
Times are the processor's, compared by the lowest of each, which was disturbed least.

## The loops that stay

A loop can go if its turns could be done in any order. These cannot: each turn starts from what the
turn before has left. [needed_loops.py](../lessons/needed_loops.py) does them all at
once nevertheless: all epochs or all batches from the same weights, their changes added up; all
layers at the same moment, each with what the layer below made of the batch before. Numbers come
out, and they are wrong. Largest difference of a probability from the right one, for the deep
network on small
pictures of noise:

{markdown(["without the loop over", "wrong by"], wrong)}

## Does vectorisation let an L-layer forward pass do without a loop over layers?

No. Layer l needs the output of layer l - 1, and that is there only when layer l - 1 is done.
Vectorisation makes one turn of the loop fast, for all samples, neurons and features; the turns stay
one after the other. Measured, with everything else vectorised, layers of {measured.width} neurons
and {samples} samples:

{markdown(["layers", "microseconds, lowest", "per layer"], depths)}

From {min(measured.depths)} to {max(measured.depths)} layers the time grows {_growth(measured)}
times: the loop over layers is still there, turn for turn.
"""


def _growth(measured: Measured) -> str:
    depths = measured.depths
    return _number(depths[max(depths)].low / depths[min(depths)].low)


def _draw(measured: Measured, path: Path) -> None:
    from matplotlib.figure import Figure

    features, neurons, samples = measured.shape
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    ordered = sorted(measured.variants.items(), key=lambda item: item[1].low)
    names, ms = zip(
        *((str(variant), 1000 * timing.low) for variant, timing in ordered), strict=True
    )
    bars = axes.barh(names, ms, color="#0072B2")
    labels = [f"{_slower(measured, variant, NONE)} x" for variant, _ in ordered]
    axes.bar_label(bars, labels, padding=4)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(right=axes.get_xlim()[1] * 3)
    axes.set_xlabel("ms, forward and backward pass, lowest (times as long as without loops)")
    axes.set_ylabel("loops written out")
    axes.set_title(
        f"{features:,} features, {neurons} neurons, {samples} samples;"
        f" one thread, {measured.cores} cores"
    )
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png", dpi=110)
