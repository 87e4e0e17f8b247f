"""Show all experiments of this checkout in a table as wide as the terminal, 100 columns otherwise.

Each has a line: the parameters that differ from those of the commit it was run on, both balanced
accuracies, their difference with its interval in points, and the verdict.
"""

import argparse
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tabulate import tabulate

from shallowdeep.commands.experiments import PARAMS, WORKSPACE, read
from shallowdeep.evaluation.verdict import DEEP, QUESTION, SCORE, SHALLOW
from shallowdeep.files.errors import InputError, one_line
from shallowdeep.provenance.experiment_count import METRICS

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.repo.experiments.serialize import ExpState, SerializableExp

WIDTH, LEAST = 100, 12  # columns where there is no terminal, and for what was changed
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
        yield _line(commit.name or commit.rev[:7], commit.data, commit.data)
        for of in commit.experiments or ():
            (state, *_), executor = of.revs, of.executor
            name = of.name or state.name or state.rev[:7]
            waits = executor.state if executor and executor.state != "success" else ""
            yield _line(name, state.data, commit.data, waits)


def _line(
    name: str, of: "SerializableExp | None", base: "SerializableExp | None", state: str = ""
) -> Line:
    now, before = _flat(of, "params", PARAMS), _flat(base, "params", PARAMS)
    changed = [f"{key}={value}" for key, value in now.items() if value != before.get(key)]
    changed += [f"no {key}" for key in before if now and key not in now]
    found, what = {} if state else _flat(of, "metrics", METRICS), ", ".join(changed)
    try:
        mean, low, high = (
            100 * found[f"difference.{SCORE}.{end}"] for end in ("mean", "low", "high")
        )
        shallow, deep = (f"{found[f'{name}.{SCORE}.mean']:.3f}" for name in (SHALLOW, DEEP))
        apart = f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"
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
    left = max(LEAST, width - sum(others) + others[1] - 2 * len(others))
    limits = [None, left, None, None, None, None]
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
    if not Path("dvc.yaml").exists():
        raise InputError("there is no dvc.yaml here; run it at the top of the project")
    from dvc.exceptions import DvcException  # takes a second
    from dvc.repo import Repo

    stale = ""
    try:
        read([WORKSPACE], predictions=False)
    except InputError as error:
        stale = str(error)
    try:
        with Repo() as repo:
            found = list(table_lines(repo, workspace=not stale))
    except DvcException as error:
        raise InputError(str(error)) from None
    print(shown(found, width=shutil.get_terminal_size((WIDTH, 24)).columns))
    if stale:
        print(f"\n{one_line(stale)}")
