"""Refuse metrics that have become worse.

BASELINE and REVISION are git revisions, names of DVC experiments, or `workspace`; HEAD and the
workspace where not given. gate.yaml says which metrics count and how much worse they may be.
"""

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from shallowdeep.commands.aligned import aligned
from shallowdeep.commands.experiments import WORKSPACE, read
from shallowdeep.files.errors import InputError, told_in_one_line
from shallowdeep.settings.checked_yaml import Section, number, one_of, parse

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


def rules(path: Path) -> list[Rule]:
    """Read and check gate.yaml.

    Raises:
        InputError: it is missing, empty or has a value that is not allowed.
    """
    top = Section(str(path), parse(path))
    if not top.names():
        raise InputError(f"{path}: names no metric, so that everything would pass")
    return [_rule(str(name), top.section(cast(str, name))) for name in top.names()]


def _rule(metric: str, section: Section) -> Rule:
    better = section.read("better", one_of("higher", "lower"))
    kinds = [kind for kind in ("absolute", "relative") if kind in section.names()]
    if len(kinds) != 1:
        raise InputError(f"{section.name}: needs one of absolute, relative; has {len(kinds)}")
    tolerance = section.read(kinds[0], number(0, 1e9, low_allowed=True))
    section.finish()
    return Rule(metric, cast(Any, better), tolerance, kinds[0] == "relative")


def judge(rule: Rule, baseline: Mapping[str, Any], metrics: Mapping[str, Any]) -> Judgement:
    """Hold one metric against the baseline; a missing or undefined one does not pass."""
    before, after = _value(baseline, rule.metric), _value(metrics, rule.metric)
    unit = f"{100 * rule.tolerance:g} %" if rule.relative else f"{rule.tolerance:g}"
    allowed = f"{unit} {'lower' if rule.better == 'higher' else 'higher'}"
    if before is None or after is None:
        return Judgement(rule.metric, before, after, allowed, "missing")
    room = rule.tolerance * abs(before) if rule.relative else rule.tolerance
    worse = before - after if rule.better == "higher" else after - before
    exceeded = worse > room and not math.isclose(worse, room, rel_tol=1e-9, abs_tol=1e-12)
    return Judgement(rule.metric, before, after, allowed, "worse" if exceeded else "ok")


def _value(metrics: Mapping[str, Any], name: str) -> float | None:
    found: Any = metrics
    for key in name.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)


def shown(judgements: list[Judgement], names: tuple[str, str], *, markdown: bool) -> str:
    """The judgements for the terminal, or as Markdown for a pull request."""
    rows = [("metric", *names, "change", "may be", "")]
    for one in judgements:
        before, after = (
            "missing" if value is None else f"{value:.4f}" for value in (one.before, one.after)
        )
        known = one.before is not None and one.after is not None
        change = f"{cast(float, one.after) - cast(float, one.before):+.4f}" if known else ""
        rows.append((one.metric, before, after, change, one.allowed, one.verdict))
    if markdown:
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join([lines[0], "| --- " * len(rows[0]) + "|", *lines[1:]])
    return aligned(rows)


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
        before, after = read(options.baseline).metrics, read(options.revision).metrics
        judgements = [judge(rule, before, after) for rule in wanted]
        print(shown(judgements, (options.baseline, options.revision), markdown=options.md))
        failed = [one.metric for one in judgements if one.verdict != "ok"]
        if failed:
            sys.exit(f"gate: {', '.join(failed)}: worse than allowed, or missing")
