"""Show all experiments of this checkout in a table as wide as the terminal, 100 columns otherwise.

Each has a line: the parameters that differ from those of the commit it was run on, both balanced
accuracies, their difference with its interval in points, and the verdict.
"""

import argparse
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tabulate import tabulate

from shallowdeep.commands import stale
from shallowdeep.commands.experiments import (
    LOCK,
    PARAMS,
    WORKSPACE,
    at_revision,
    opened,
    read,
    text_of,
)
from shallowdeep.evaluation.sentences import points, rounded
from shallowdeep.evaluation.verdict import DEEP, QUESTION, SCORE, SHALLOW
from shallowdeep.files.errors import InputError, one_line
from shallowdeep.files.yaml_file import parse_bytes
from shallowdeep.provenance.experiment_count import METRICS

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.repo.experiments.serialize import ExpState, SerializableExp

WIDTH = 100  # columns where there is no terminal
LEAST, LONGEST = 12, 30  # columns for what was changed, and for a name
HEAD = ("experiment", "changed", SHALLOW, DEEP, str(QUESTION), "verdict")


class Line(NamedTuple):
    """One line of the table, fields as in HEAD."""

    name: str
    changed: str
    shallow: str
    deep: str
    difference: str
    verdict: str


def table_lines(repo: "Repo", *, workspace: bool) -> Iterator[Line]:
    """The workspace, HEAD and its experiments, then other commits that have some."""
    head = repo.scm.get_rev()
    others = [one for one in repo.experiments.ls(all_commits=True) if one != head]
    states: Sequence[ExpState] = repo.experiments.show(revs=[head, *others])
    current, *commits = states
    if workspace:
        yield _line(WORKSPACE, current.data, commits[0].data)
    for commit in commits:
        state = _stale(repo, commit)
        yield _line(commit.name or commit.rev[:7], commit.data, commit.data, state)
        for of in commit.experiments or ():
            (of_exp, *_), executor = of.revs, of.executor
            name = of.name or of_exp.name or of_exp.rev[:7]
            waits = executor.state if executor and executor.state != "success" else ""
            yield _line(name, of_exp.data, commit.data, waits or _stale(repo, of_exp))


def _stale(repo: "Repo", state: "ExpState") -> str:
    """`stale` if the results of a revision are of other parameters than its params.yaml has."""
    content = getattr(state.data, "params", {}).get(PARAMS, {}).get("data")
    try:
        with at_revision(repo, state.rev):
            lock = parse_bytes(text_of(repo, state.rev, LOCK), LOCK)
        return "stale" if stale.locked_differences(lock, content) else ""
    except (InputError, AttributeError, LookupError, TypeError):
        return ""  # it has no results either


def _line(
    name: str, of: "SerializableExp | None", base: "SerializableExp | None", state: str = ""
) -> Line:
    now, before = _flat(of, "params", PARAMS), _flat(base, "params", PARAMS)
    changed = [f"{key}={value}" for key, value in now.items() if value != before.get(key)]
    changed += [f"no {key}" for key in before if now and key not in now]
    found, what = {} if state else _flat(of, "metrics", METRICS), ", ".join(changed)
    try:
        mean, low, high = (
            points(found[f"difference.{SCORE}.{end}"], sign="+") for end in ("mean", "low", "high")
        )
        shallow, deep = (rounded(found[f"{name}.{SCORE}.mean"], 3) for name in (SHALLOW, DEEP))
        apart = f"{mean} ({low} to {high})"
        return Line(name, what, shallow, deep, apart, found["verdict"])
    except (KeyError, TypeError, ValueError):
        return Line(name, what, "", "", "", state or "no results")


def _flat(of: "SerializableExp | None", kind: str, file: str) -> Mapping[str, Any]:
    """Content of params.yaml or metrics.json by keys joined by dots; nothing if it is not there."""
    from dvc.utils.flatten import flatten

    content = getattr(of, kind, {}).get(file, {}).get("data")
    return dict(flatten(content)) if isinstance(content, dict) else {}


def shown(found: Sequence[Line], *, width: int) -> str:
    """The table; what was changed is wrapped to what other columns leave."""
    others = [max(map(len, column)) for column in zip(HEAD, *found, strict=True)]
    others[0] = min(others[0], LONGEST)
    left = max(LEAST, width - sum(others) + others[1] - 2 * len(others))
    limits = [LONGEST, left, None, None, None, None]
    return str(tabulate(found, HEAD, "simple", disable_numparse=True, maxcolwidths=limits))


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    about, _, more = (__doc__ or "").partition("\n")
    return argparse.ArgumentParser("shallowdeep experiments", description=about, epilog=more)


def main(arguments: Sequence[str]) -> None:
    """Print the table; below it why the workspace is not in it, if its results are stale.

    Raises:
        InputError: this is not the project's folder, or DVC cannot read it.
    """
    parser().parse_args(arguments)
    problem = ""
    try:
        read([WORKSPACE], predictions=False)
    except InputError as error:
        problem = str(error)
    with opened() as repo:
        found = list(table_lines(repo, workspace=not problem))
    print(shown(found, width=shutil.get_terminal_size((WIDTH, 24)).columns))
    if problem:
        print(f"\n{one_line(problem)}")
