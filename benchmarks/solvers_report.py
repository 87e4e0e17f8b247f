"""The benchmark's tables as Markdown, and its picture."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

SHALLOW, DEEP = "#0072B2", "#E69F00"  # blue and orange of Okabe and Ito, told apart by everyone
GREY = "#555555"


def tables(found: dict[str, Any]) -> str:
    """All tables."""
    parts = [epoch_table(found), _cost_table(found)]
    parts[1:1] = [_pipeline_table(found, pipeline) for pipeline in found["pipelines"]]
    if found["tuning"]:
        parts.insert(-1, tuning_table(found["tuning"]))
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def by_peer(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Rows of the first table: peer, then network."""
    peers: dict[str, dict[str, Any]] = {}
    for row in found["epoch"]:
        peers.setdefault(row["peer"], {})[row["network"]] = row
    return peers


def epoch_table(found: dict[str, Any]) -> str:
    """The first table, which docs/speed.md repeats."""
    pictures, memory = found["pictures"], found["added_memory_mib"]
    head = ["ms per epoch and network"]
    head += [f"{name} {found['networks'][name]}" for name in found["networks"]]
    head += ["times faster", "memory added, MiB (of it mapped files)"]
    rows = []
    for peer, networks in by_peer(found).items():
        faster = " / ".join(_ratio(row["times_faster"]) for row in networks.values())
        added = "{peak:,.0f} ({mapped:,.0f})".format(**memory[peer]) if peer in memory else ""
        rows.append([peer, *(_ms(row["seconds"]) for row in networks.values()), faster, added])
    rows.append(["floor: reading the bytes once", *[_ms(found["floor"])] * 2, "", ""])
    machine = found["machine"]
    machines = f"{machine['cpu']}, {machine['cores']} cores"
    if machine["cuda"]:
        machines += f", {machine['cuda']}"
    return (
        f"{pictures['train']:,} training pictures of {pictures['size']} x {pictures['size']} "
        f"pixels, batches of {found['batch_size']}, {machines}; "
        "median (lowest to highest).\n\n"
    ) + _table(head, rows)


def _ms(seconds: dict[str, float]) -> str:
    if seconds["repetitions"] == 1:
        return f"{_number(seconds['median'])} (1 repetition)"
    low, high = _number(seconds["low"]), _number(seconds["high"])
    return f"{_number(seconds['median'])} ({low} to {high})"


def _number(seconds: float) -> str:
    """Milliseconds, three digits."""
    ms = 1000 * seconds
    return f"{ms:,.{max(0, 2 - math.floor(math.log10(ms)))}f}"


def _ratio(ratio: float) -> str:
    return f"{ratio:,.1f}" if ratio < 100 else f"{ratio:,.0f}"


def _pipeline_table(found: dict[str, Any], pipeline: dict[str, Any]) -> str:
    stages, epochs = pipeline["stages"], pipeline["epochs"]
    before = next(one for one in found["before_training"] if one["folds"] == pipeline["folds"])
    article = epochs * sum(
        row["seconds"]["median"] for row in next(iter(by_peer(found).values())).values()
    )
    all_seconds = pipeline["all_seconds"]
    spread = f" ({min(all_seconds):.1f} to {max(all_seconds):.1f})" if len(all_seconds) > 1 else ""
    rows = [
        [f"article's script, one run of both (its epoch, {epochs} times)", f"{article:,.1f}", ""],
        [
            f"whole `dvc exp run`, ten runs of both on {_folds(pipeline)}",
            f"{pipeline['seconds']:.1f}{spread}",
            "",
        ],
        ["times faster", f"{article / pipeline['seconds']:,.1f}", ""],
        ["- DVC itself", f"{_dvc(pipeline):.1f}", ""],
    ]
    for name, stage in stages.items():
        peak = f"{stage['peak_mib']:,.0f}" if stage["peak_mib"] else ""
        rest = stage["seconds"] - stage["training"]
        rows.append([f"- {name}", f"{stage['seconds']:.1f}", peak])
        if stage["training"]:
            rows.append(["-- set up, train, write the model", f"{stage['training']:.1f}", ""])
            outputs = before["outputs"][name.removeprefix("train-")]["median"]
            rows.append(["--- of it outputs before training", f"{outputs:.1f}", ""])
        rows.append(["-- start Python, import, read, write", f"{rest:.1f}", ""])
    rows.append(["both trainings but for training itself", f"{_overhead(stages):.1f}", ""])
    rows.append(["before, once: `dvc repro prepare`", f"{pipeline['prepare_seconds']:.1f}", ""])
    rows.append(["- of it the Gram matrix", f"{before['gram']['median']:.1f}", ""])
    head = [f"{epochs} epochs, prepared data in place", "seconds", "peak memory, MiB"]
    return _table(head, rows)


def tuning_table(tuning: Sequence[dict[str, Any]]) -> str:
    """One learning rate against a choice of four inside each fold."""
    one, four = tuning
    rows = [
        [
            name,
            f"{of['seconds']:.1f} ({min(of['all_seconds']):.1f} to {max(of['all_seconds']):.1f})",
            f"{of['seconds'] / one['seconds']:.2f}",
            f"{max(stage['peak_mib'] or 0 for stage in of['stages'].values()):,.0f}",
        ]
        for name, of in (("one", one), ("four, each fold takes one", four))
    ]
    head = ["learning rates, `keep: best`", "seconds", "times", "peak memory, MiB"]
    return _table(head, rows)


def _folds(pipeline: dict[str, Any]) -> str:
    return f"{pipeline['folds']} fold{'s' * (pipeline['folds'] > 1)}"


def _overhead(stages: dict[str, Any]) -> float:
    """Seconds of the training stages that are not setting up, training and writing the model."""
    return float(sum(s["seconds"] - s["training"] for s in stages.values() if s["training"]))


def _dvc(pipeline: dict[str, Any]) -> float:
    inside = sum(stage["seconds"] for stage in pipeline["stages"].values())
    return float(pipeline["seconds"] - inside)


def _cost_table(found: dict[str, Any]) -> str:
    head = ["pictures", "primal", "dual, 1 run", "dual, 10 runs", "Gram matrix, once, s"]
    rows = [
        [f"{one['pictures']:,}"]
        + [_number(one[name]) for name in ("primal", "dual_1", "dual_10")]
        + [f"{one['gram']:,.1f}{'' if one['gram_measured'] else ' (scaled)'}"]
        for one in found["cost"]
    ]
    told = _crossover_in_words(found)
    return f"ms per epoch and network, shallow, random bytes, 80 % for training. {told}\n\n" + (
        _table(head, rows)
    )


def _crossover_in_words(found: dict[str, Any]) -> str:
    meeting, last = found["crossover_pictures"], found["cost"][-1]["pictures"]
    beyond = ", far beyond what was measured" if meeting > 2 * last else ""
    return f"Ten runs cost the same with both at about {float(f'{meeting:.2g}'):,.0f}{beyond}."


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw the first and the third table."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    _draw_epochs(left, found)
    _draw_cost(right, found)
    figure.savefig(path, format="png", dpi=110)


def _draw_epochs(axes: Any, found: dict[str, Any]) -> None:
    peers = by_peer(found)
    names = [*peers, "floor: reading the bytes once"]
    places = zip(found["networks"], (-0.2, 0.2), (SHALLOW, DEEP), strict=True)
    for network, offset, colour in places:
        rows = [peer[network] for peer in peers.values()]
        medians = [row["seconds"]["median"] for row in rows]
        spread = [
            [row["seconds"]["median"] - row["seconds"]["low"] for row in rows],
            [row["seconds"]["high"] - row["seconds"]["median"] for row in rows],
        ]
        heights = [i + offset for i in range(len(rows))]
        label = f"{network} {found['networks'][network]}"
        axes.barh(heights, medians, 0.38, xerr=spread, color=colour, ecolor=GREY, label=label)
        for height, row in zip(heights, rows, strict=True):
            faster = f"  {_ratio(row['times_faster'])} x"
            axes.text(row["seconds"]["high"], height, faster, va="center", fontsize=8)
    axes.barh([len(peers)], [found["floor"]["median"]], 0.38, color=GREY)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(right=axes.get_xlim()[1] * 4)
    axes.set_xlabel("seconds per epoch and network (times as fast as the article's loop)")
    train, size = found["pictures"]["train"], found["pictures"]["size"]
    axes.set_title(f"{train:,} training pictures, {size} x {size}")
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_cost(axes: Any, found: dict[str, Any]) -> None:
    counts = [one["pictures"] for one in found["cost"]]
    for name, label, colour, style in (
        ("primal", "primal", DEEP, "o-"),
        ("dual_1", "dual, 1 run", SHALLOW, "s--"),
        ("dual_10", "dual, 10 runs", SHALLOW, "s-"),
    ):
        axes.plot(counts, [one[name] for one in found["cost"]], style, color=colour, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(counts, [f"{count:,}" for count in counts], fontsize=8)
    axes.minorticks_off()
    axes.set_xlabel("pictures, 80 % of them for training")
    axes.set_ylabel("seconds per epoch and network")
    axes.set_title("shallow, random bytes; the Gram matrix apart")
    axes.legend(loc="upper left", frameon=False)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
