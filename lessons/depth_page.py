"""The measured layers as a table, a chart and a page of the documentation."""

import csv
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
from scipy.stats import t

from lessons.depth import BATCH, HE, HIDDEN, INITS, LR, RUNS, SHOWN, TORCH, Init, Row
from lessons.vectorization_page import markdown
from shallowdeep.files.atomic import replacing, write_text

TABLE, CHART, PAGE = "benchmarks/depth.csv", "docs/depth.svg", "docs/depth.md"
INPUTS = 3 * 128**2
COLOURS = ("#d55e00", "#009e73", "#0072b2", "#1d2430")  # of the epochs, 3:1 or more on white
BARE = Init("torch", "0")


def write_figures(folder: Path, rows: Iterable[Row]) -> None:
    """Write benchmarks/depth.csv, to five digits."""
    with replacing(folder / TABLE) as path, path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(Row._fields)
        for row in rows:
            table.writerow([f"{x:.5g}" if isinstance(x, float) else x for x in row])


def write_page(folder: Path) -> None:
    """Write the chart and the page of benchmarks/depth.csv."""
    figures = pd.read_csv(folder / TABLE, dtype={"biases": str})
    with replacing(folder / CHART) as path:
        _draw(figures, path)
    write_text(folder / PAGE, page(figures))


def _select(figures: pd.DataFrame, network: str, init: Init) -> pd.DataFrame:
    of_init = (figures["weights"] == init.weights) & (figures["biases"] == init.biases)
    return figures[(figures["network"] == network) & of_init]


def _median(figures: pd.DataFrame, init: Init, measure: str, layer: int, epoch: int = 0) -> float:
    deep = _select(figures, "deep", init)
    return float(deep[(deep["layer"] == layer) & (deep["epoch"] == epoch)][measure].median())


def _by_epoch(figures: pd.DataFrame, measure: str) -> str:
    """A table of one measure of the deep network: a row a layer, a column an epoch."""
    head = [f"{name}, {_after(epoch)}" for name in ("torch", "he") for epoch in SHOWN]
    rows = [
        [_name(layer)]
        + [
            _digits(_median(figures, init, measure, layer, epoch))
            for init, epoch in itertools.product((TORCH, HE), SHOWN)
        ]
        for layer in _layers()
    ]
    return markdown([measure, *head], rows)


def _losses(figures: pd.DataFrame, network: str, init: Init) -> pd.Series:
    """Training loss after the last epoch, run by run."""
    chosen = _select(figures, network, init)
    last = chosen[(chosen["epoch"] == SHOWN[-1]) & (chosen["layer"] == 1)]
    return last.set_index("run")["loss"]


def _dead(figures: pd.DataFrame, init: Init, epoch: int) -> pd.Series:
    """Dead neurons of the deep network's hidden layers, run by run."""
    deep = _select(figures, "deep", init)
    hidden = deep[(deep["epoch"] == epoch) & (deep["layer"] <= len(HIDDEN["deep"]))]
    return hidden.groupby("run")["dead"].sum()


def _four_ways(figures: pd.DataFrame) -> str:
    """A table of weights and biases drawn in all four ways."""
    before = _losses(figures, "deep", TORCH)
    rows = []
    for init in INITS:
        loss = _losses(figures, "deep", init)
        apart = loss - before
        margin = t.ppf(0.975, RUNS - 1) * apart.std() / RUNS**0.5
        change = f"{apart.mean():+.3f} ± {margin:.3f}" if init != TORCH else ""
        start, end = (_dead(figures, init, epoch) for epoch in (0, SHOWN[-1]))
        dead = [f"{dead.mean():.1f} ({dead.min()} to {dead.max()})" for dead in (start, end)]
        rows.append([*init, f"{loss.mean():.3f} ± {loss.std():.3f}", change, *dead])
    head = ["weights", "biases", "training loss", "change", "dead at the start", "dead at the end"]
    return markdown(head, rows)


def count_parameters(hidden: Sequence[int], inputs: int = INPUTS) -> tuple[str, int]:
    """Count weights and biases; the sum written out, and its result."""
    pairs = list(itertools.pairwise([inputs, *hidden, 1]))
    written = " + ".join(f"({n_prev:,} x {n} + {n})" for n_prev, n in pairs)
    return written, sum(n_prev * n + n for n_prev, n in pairs)


def _parameters() -> str:
    shallow, deep, wide = (
        count_parameters(hidden)
        for hidden in (HIDDEN["shallow"], HIDDEN["deep"], HIDDEN["deep"][:1])
    )
    rows = [
        [str(list(hidden)), written, f"{total:,}"]
        for hidden, (written, total) in zip(
            (HIDDEN["shallow"], HIDDEN["deep"], HIDDEN["deep"][:1]),
            (shallow, deep, wide),
            strict=True,
        )
    ]
    more = deep[1] / shallow[1] - 1
    return f"""\
{markdown(["hidden", "weights + biases, layer by layer", "parameters"], rows)}

The deep network has {100 * more:.0f} % more than the shallow one, nearly all for the fifth neuron
of its first layer: the two further layers add {deep[1] - wide[1]}. So [4] against [5, 5, 3] also
compares widths; `models.shallow.hidden: [5]` takes that out."""


def page(figures: pd.DataFrame) -> str:
    """docs/depth.md."""
    return "\n".join(
        [_factor(figures), _biases(figures), _training(figures), _in_four_ways(figures), _END]
    )


def _factor(figures: pd.DataFrame) -> str:
    rows = [
        [_name(layer), _digits(he), _digits(torch), f"{he / torch:,.0f}"]
        for layer in _layers()
        for he, torch in [[_median(figures, init, "power", layer) for init in (HE, BARE)]]
    ]
    return f"""\
# Why two more layers make the loss fall more slowly

Written by `make depth`; do not edit. The article's riddle: the deep network [5, 5, 3] has more
layers than the shallow one [4], and learns its training pictures more slowly. Part of the answer is
given before the first step: by how weights are drawn. Measured on fold 0's 800 training pictures of
the embedded sample, {RUNS} runs of each network, batches of {BATCH}, learning rate {LR:g}, by
[depth.py](../lessons/depth.py); all figures are in [depth.csv](../benchmarks/depth.csv).

## The factor, derived

A neuron adds up n products, Z = w1 a1 + ... + wn an, and a bias. Draw the weights independently,
with mean 0 and variance v, and let the bias be 0. Mixed terms cancel on average, squares add up:

    mean(Z^2) = n v mean(a^2)

ReLU then removes what is below 0. A weight is as often w as -w, so that is half of the power:
mean(A^2) = mean(Z^2) / 2. From one layer's Z to the next, power changes by the factor n v / 2.

- It stays the same if **v = 2 / n**. So He et al. (2015) draw weights: `init: he`.
- `torch.nn.Linear` draws evenly between -c and c = 1 / sqrt(n). Such numbers have the variance
  c^2 / 3, so **v = 1 / (3n)**: `init: torch`. The factor is 1/6.

Six times less a layer is 6 x 6 x 6 = **216 times less over three**. For networks of the same random
numbers it is exact, since relu(c Z) = c relu(Z) for c > 0. Mean of Z^2 at the start, biases 0,
median of the runs:

{markdown(["power", "He's weights", "torch's weights", "times less"], rows)}

The way back, dA_prev = W^T dZ, passes through the same weights: a gradient too shrinks by 6 a
layer, and layer 1, three layers below the output, gets a 216th.
"""


def _biases(figures: pd.DataFrame) -> str:
    top = len(HIDDEN["deep"]) + 1
    shared = figures.assign(share=figures["signal"] / figures["power"])
    share = {init: _percent(_median(shared, init, "share", top)) for init in (TORCH, HE)}
    power, dead = _median(figures, TORCH, "power", top), _dead(figures, TORCH, 0)
    hidden = _select(figures, "deep", TORCH).query("epoch == 0 and layer < @top")
    whole = hidden["dead"] == hidden["layer"].map(dict(enumerate(HIDDEN["deep"], 1)))
    silent = hidden[whole]["run"].nunique()
    return f"""\
## What biases hide

`init: torch` draws biases too, also with variance 1 / (3n). For n = 5 that is 1/15, more than is
left of the pictures: at the output the power is {_digits(power)}. But a bias is the same for every
picture. Call **signal** the variance of Z over the pictures, the part of the power that tells them
apart. At the output it is {share[TORCH]} of the power with `init: torch`, {share[HE]} with
`init: he`: as torch draws it, the deep network says the same to every picture.

A neuron with a bias far enough below 0 is **dead**: 0 for every training picture, and so is its
gradient. Of {sum(HIDDEN["deep"])} hidden neurons {dead.mean():.1f} are dead at the start; in
{silent} of {RUNS} runs a whole layer is, and such a network never tells pictures apart.
"""


def _training(figures: pd.DataFrame) -> str:
    overshoot = [_digits(_median(figures, HE, "signal", 1, epoch)) for epoch in SHOWN[:2]]
    return f"""\
## Training

Signal at the start and after some epochs, median of the runs:

{_by_epoch(figures, "signal")}

Gradient, the mean square of each picture's dZ:

{_by_epoch(figures, "gradient")}

![Signal and gradient by layer, at the start and after 1, 3 and 10 epochs](depth.svg)

Points are medians, bars the middle half of the runs. As torch draws them, lower layers get next to
no gradient until the upper ones have grown, and after ten epochs the output's signal has not
reached what He's weights begin with. Those have a price: the weights of {INPUTS:,} inputs all move
at once, and with a large gradient the first epoch overshoots: the signal of layer 1 jumps from
{overshoot[0]} to {overshoot[1]}.
"""


def _in_four_ways(figures: pd.DataFrame) -> str:
    deep, deep_he, shallow, shallow_he = (
        _losses(figures, network, init)
        for network, init in itertools.product(("deep", "shallow"), (TORCH, HE))
    )
    gap, left = deep.mean() - shallow.mean(), deep_he.mean() - shallow_he.mean()
    return f"""\
## Weights or biases?

Each alone, after {SHOWN[-1]} epochs. All four use the same random numbers, so runs are paired:
*change* is the mean difference from the first row, with its 95 % interval over runs. Losses are
means ± one standard deviation, dead neurons means and ranges.

{_four_ways(figures)}

It is the weights: He's alone do most of it. What biases of 0 are good for is fewer dead neurons.
The shallow network has {_spread(shallow)}, with `init: he` {_spread(shallow_he)}. So drawing for
ReLU layers takes the deep network's lag from {gap:.2f} to {left:.2f}, and not to 0. On new
pictures: `dvc exp run -S init=he`.

## Count the parameters

A layer of n neurons on n_prev inputs has n x n_prev weights and n biases. A picture of 128 x 128
pixels in three colours is {INPUTS:,} inputs.

{_parameters()}
"""


def _spread(losses: pd.Series) -> str:
    return f"{losses.mean():.3f} ± {losses.std():.3f}"


_END = """\
## Exercise: find the mistake

`backward_with_a_mistake` in [exercise.py](../lessons/exercise.py) is the way back of
[by-hand.md](by-hand.md)'s network, with one character wrong. The loss falls all the same, if less
than it should: training does not show such a mistake. A gradient check does: nudge each weight up
and down, and hold the change of the loss against the gradient.

    python -m lessons.exercise

1. Which gradients are wrong, and which right? What lies between them on the way back?
2. What does the line there do with a neuron whose output is 0?
3. Correct it, and check again.

<details><summary>Solution</summary>

dW2 and db2 are right to ten digits, dW1 and db1 are not: the mistake is between layers 2 and 1,
where the gradient passes the ReLU. `A_prev >= 0` is true of every output of a ReLU, 0 included.
Nothing is held back, and silent neurons learn from pictures to which they said nothing. Right is
`A_prev > 0`.

</details>
"""


def _layers() -> range:
    return range(1, len(HIDDEN["deep"]) + 2)


def _name(layer: int) -> str:
    return f"layer {layer}" if layer <= len(HIDDEN["deep"]) else "output"


def _after(epoch: int) -> str:
    return f"epoch {epoch}" if epoch else "start"


def _digits(value: float) -> str:
    """Two digits, without an exponent."""
    return f"{float(f'{value:.2g}'):.12f}".rstrip("0").rstrip(".")


def _percent(share: float) -> str:
    return f"{_digits(100 * share)} %"


def _draw(figures: pd.DataFrame, path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    panels = figure.subplots(2, 2, sharex=True, sharey="row")
    for (measure, init), axes in zip(
        itertools.product(("signal", "gradient"), (TORCH, HE)), panels.flat, strict=True
    ):
        runs = _select(figures, "deep", init).groupby(["epoch", "layer"])[measure]
        low, middle, high = (runs.quantile(q).unstack() for q in (0.25, 0.5, 0.75))
        for number, (epoch, colour) in enumerate(zip(SHOWN, COLOURS, strict=True)):
            x = [layer + 0.07 * (number - 1.5) for layer in _layers()]
            y, bars = middle.loc[epoch], (low.loc[epoch], high.loc[epoch])
            axes.plot(x, y, "osD^"[number] + "-", color=colour, label=_after(epoch))
            axes.vlines(x, *bars, color=colour)
        axes.set_yscale("log")
        axes.set_xticks(_layers(), map(_name, _layers()))
        axes.set_title(f"{measure}, init: {init.weights}")
        axes.grid(axis="y", color="#d5dae1", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    panels[1, 1].legend(frameon=False)
    # White behind it, in a dark page too: thin lines keep their contrast.
    with mpl.rc_context({"svg.hashsalt": "depth", "svg.fonttype": "none"}):
        figure.savefig(path, format="svg", metadata={"Date": None}, facecolor="white")
