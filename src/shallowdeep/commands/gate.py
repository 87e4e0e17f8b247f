"""Refuse metrics that have become worse.

BASELINE and REVISION are git revisions, names of DVC experiments, or `workspace`; HEAD and the
workspace where not given. gate.yaml says which metrics count, how much worse they may be, and
whether it has to be beyond chance.
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator
from tabulate import tabulate

from shallowdeep.commands.compare import compared
from shallowdeep.commands.experiments import NotCachedError, parser_of_two, read
from shallowdeep.evaluation.change import Change
from shallowdeep.evaluation.metrics import DIFFERENCE
from shallowdeep.evaluation.verdict import QUESTION, SCORE
from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse
from shallowdeep.settings.checked import CheckedRecord, checked

CONFIG = Path("gate.yaml")
_Tolerance = Annotated[float, Field(ge=0, le=1e9)]


class Rule(CheckedRecord):
    """Entry of gate.yaml: how much worse one metric may be than in the baseline."""

    better: Literal["higher", "lower"]
    absolute: _Tolerance = 0
    relative: _Tolerance = 0  # a share of the baseline
    beyond_chance: bool = False  # only a whole interval beyond the tolerance is worse

    @model_validator(mode="after")
    def _one_tolerance(self) -> "Rule":
        given = len({"absolute", "relative"} & self.model_fields_set)
        if given != 1:
            raise ValueError(f"needs one of absolute, relative; has {given}")
        return self


class Judgement(NamedTuple):
    """Verdict on one metric."""

    metric: str  # as `dvc metrics diff` names it
    before: float | None
    after: float | None
    allowed: str  # as text
    interval: tuple[float, float] | None  # of the change, if the rule says beyond_chance
    verdict: Literal["ok", "worse", "missing"]


def rules(path: Path) -> dict[str, Rule]:
    """Read and check gate.yaml; rules by metric.

    Raises:
        InputError: it is missing, empty or has a value that is not allowed.
    """
    if not (found := checked(dict[str, Rule], parse(path), str(path))):
        raise InputError(f"{path}: names no metric, so that everything would pass")
    return found


def judge(
    metric: str,
    rule: Rule,
    baseline: Mapping[str, float],
    metrics: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
) -> Judgement:
    """Compare one metric with the baseline; a missing or undefined one does not pass.

    Args:
        metric: its name.
        rule: the tolerance.
        baseline: numbers by name.
        metrics: numbers to judge, by name.
        intervals: of the change of each metric, where it has one.
    """
    before, after = baseline.get(metric), metrics.get(metric)
    unit = (
        f"{rule.absolute:g}"
        if "absolute" in rule.model_fields_set
        else f"{100 * rule.relative:g} %"
    )
    allowed = f"{unit} {'lower' if rule.better == 'higher' else 'higher'}"
    interval = intervals.get(metric) if rule.beyond_chance else None
    if before is None or after is None or (rule.beyond_chance and interval is None):
        return Judgement(metric, before, after, allowed, None, "missing")
    room = rule.absolute + rule.relative * abs(before)  # one of them is 0
    low, high = interval or (after - before, after - before)
    worse = -high if rule.better == "higher" else low  # at least so much
    exceeded = worse > room and not math.isclose(worse, room, rel_tol=1e-9, abs_tol=1e-12)
    return Judgement(metric, before, after, allowed, interval, "worse" if exceeded else "ok")


def intervals(found: Sequence[Change]) -> dict[str, tuple[float, float]]:
    """Intervals of changes, by the names of their means in `dvc metrics diff`."""
    named = {}
    for one in found:
        of = DIFFERENCE if one.of == str(QUESTION) else one.of
        mean = f"{of}.{one.score}{'.mean' if one.score == SCORE else ''}"
        named[mean] = (one.low, one.high)
    return named


def unpaired(
    baseline: Mapping[str, float], metrics: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Intervals of the changes of all metrics that have one in both experiments.

    Each side is the root of both margins' sum of squares (MOVER: Zou and Donner 2008, Statistics in
    Medicine 27, 1693-1702), as if the experiments had nothing in common: rather too wide.
    """
    found = {}
    for name in baseline.keys() & metrics.keys():
        stem = name.removesuffix("mean")
        sides = (f"{stem}low", f"{stem}high")
        if stem != name and all(side in one for side in sides for one in (baseline, metrics)):
            low, high = ((baseline[side], metrics[side]) for side in sides)
            before, after = baseline[name], metrics[name]
            below = math.hypot(after - low[1], high[0] - before)
            above = math.hypot(high[1] - after, before - low[0])
            found[name] = (after - before - below, after - before + above)
    return found


def shown(judgements: list[Judgement], names: tuple[str, str], *, markdown: bool) -> str:
    """The judgements for the terminal, or as Markdown for a pull request."""
    rows = []
    for metric, before, after, allowed, interval, verdict in judgements:
        values = ["missing" if value is None else f"{value:.4f}" for value in (before, after)]
        change = "" if before is None or after is None else f"{after - before:+.4f}"
        chance = "{:+.4f} to {:+.4f}".format(*interval) if interval else ""
        rows.append((metric, *values, change, chance, allowed, verdict))
    head = ["metric", *names, "change", "interval", "may be", ""]
    return str(tabulate(rows, head, "pipe" if markdown else "plain", disable_numparse=True))


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    return parser_of_two("gate", __doc__ or "", ("BASELINE", "REVISION"))


def main(arguments: Sequence[str]) -> None:
    """Read, judge, print; status 1 where a metric is worse or missing."""
    options = parser().parse_args(arguments)
    wanted = rules(CONFIG)
    names = (options.before, options.after)
    chance = any(rule.beyond_chance for rule in wanted.values())
    try:
        before, after = read(names, predictions=chance)
        known = intervals(compared(before, after)[1]) if chance else {}
    except NotCachedError as error:
        print(f"gate: {error}; intervals are of unpaired experiments", file=sys.stderr)
        before, after = read(names, predictions=False)
        known = unpaired(before.numbers, after.numbers)
    judgements = [
        judge(metric, rule, before.numbers, after.numbers, known) for metric, rule in wanted.items()
    ]
    print(shown(judgements, names, markdown=options.md))
    failed = [one for one in judgements if one.verdict != "ok"]
    if failed:
        sys.exit(f"gate: {', '.join(f'{one.metric} is {one.verdict}' for one in failed)}")
