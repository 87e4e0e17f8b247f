"""Refuse metrics that have become worse.

BASELINE and REVISION are git revisions, names of DVC experiments, or `workspace`; HEAD and the
workspace where not given. gate.yaml says which metrics count and how much worse they may be.
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, cast

from pydantic import Field, model_validator

from shallowdeep.commands.experiments import WORKSPACE, numbers, read
from shallowdeep.commands.terminal import table
from shallowdeep.files.errors import InputError, told_in_one_line
from shallowdeep.files.yaml_file import parse
from shallowdeep.settings.checked import IN_FLOATS, Record, checked

CONFIG = Path("gate.yaml")


class Rule(NamedTuple):
    """How much worse one metric may be than in the baseline."""

    metric: str  # as `dvc metrics diff` names it
    better: Literal["higher", "lower"]
    tolerance: float
    relative: bool  # the tolerance is a share of the baseline


class Judgement(NamedTuple):
    """What became of one metric."""

    metric: str
    before: float | None
    after: float | None
    allowed: str  # in words
    verdict: Literal["ok", "worse", "missing"]


_Tolerance = Annotated[float, Field(ge=0, le=1e9), IN_FLOATS]


class _Entry(Record):
    """What gate.yaml says of one metric."""

    better: Literal["higher", "lower"]
    absolute: _Tolerance = 0
    relative: _Tolerance = 0

    @model_validator(mode="after")
    def _one_tolerance(self) -> "_Entry":
        given = len({"absolute", "relative"} & self.model_fields_set)
        if given != 1:
            raise ValueError(f"needs one of absolute, relative; has {given}")
        return self


def rules(path: Path) -> list[Rule]:
    """Read and check gate.yaml.

    Raises:
        InputError: it is missing, empty or has a value that is not allowed.
    """
    entries = checked(dict[str, _Entry], parse(path), str(path))
    if not entries:
        raise InputError(f"{path}: names no metric, so that everything would pass")
    return [_rule(metric, entry) for metric, entry in entries.items()]


def _rule(metric: str, entry: _Entry) -> Rule:
    relative = "relative" in entry.model_fields_set
    return Rule(metric, entry.better, entry.relative if relative else entry.absolute, relative)


def judge(rule: Rule, baseline: Mapping[str, float], metrics: Mapping[str, float]) -> Judgement:
    """Hold one metric against the baseline; a missing or undefined one does not pass."""
    before, after = baseline.get(rule.metric), metrics.get(rule.metric)
    unit = f"{100 * rule.tolerance:g} %" if rule.relative else f"{rule.tolerance:g}"
    allowed = f"{unit} {'lower' if rule.better == 'higher' else 'higher'}"
    if before is None or after is None:
        return Judgement(rule.metric, before, after, allowed, "missing")
    room = rule.tolerance * abs(before) if rule.relative else rule.tolerance
    worse = before - after if rule.better == "higher" else after - before
    exceeded = worse > room and not math.isclose(worse, room, rel_tol=1e-9, abs_tol=1e-12)
    return Judgement(rule.metric, before, after, allowed, "worse" if exceeded else "ok")


def shown(judgements: list[Judgement], names: tuple[str, str], *, markdown: bool) -> str:
    """The judgements for the terminal, or as Markdown for a pull request."""
    rows = []
    for one in judgements:
        before, after = (
            "missing" if value is None else f"{value:.4f}" for value in (one.before, one.after)
        )
        known = one.before is not None and one.after is not None
        change = f"{cast(float, one.after) - cast(float, one.before):+.4f}" if known else ""
        rows.append((one.metric, before, after, change, one.allowed, one.verdict))
    head = ["metric", *names, "change", "may be", ""]
    return table(head, rows, style="pipe" if markdown else "plain")


def main(arguments: Sequence[str]) -> None:
    """Read, judge, print; status 1 where a metric is worse or missing."""
    about, _, how = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser("shallowdeep gate", description=about, epilog=how)
    parser.add_argument("baseline", nargs="?", default="HEAD", metavar="BASELINE")
    parser.add_argument("revision", nargs="?", default=WORKSPACE, metavar="REVISION")
    parser.add_argument("--md", action="store_true", help="print Markdown, for a pull request")
    options = parser.parse_args(arguments)
    with told_in_one_line("gate"):
        wanted = rules(CONFIG)
        before, after = (
            numbers(read(name).metrics) for name in (options.baseline, options.revision)
        )
        judgements = [judge(rule, before, after) for rule in wanted]
        print(shown(judgements, (options.baseline, options.revision), markdown=options.md))
        failed = [one.metric for one in judgements if one.verdict != "ok"]
        if failed:
            sys.exit(f"gate: {', '.join(failed)}: worse than allowed, or missing")
