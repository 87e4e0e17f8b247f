"""Run many experiments through DVC's queue and tabulate their results.

Every combination of the values is an experiment of DVC's (`dvc exp show` lists them, `dvc exp apply
NAME` brings one back). Those that fail stop nothing and are listed. Intervals and verdicts hold for
all settings at once (Holm 1979).
"""

import argparse
import itertools
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pandas as pd
from tabulate import tabulate

from shallowdeep.commands import experiments
from shallowdeep.commands.experiments import Experiment
from shallowdeep.commands.sweep_map import TITLE, verdict_map
from shallowdeep.evaluation.many_settings import AtLevel, step_down, summary
from shallowdeep.evaluation.sentences import rounded
from shallowdeep.evaluation.verdict import (
    DEEP,
    QUESTION,
    SHALLOW,
    Comparison,
    compare,
    familywise_note,
    verdict,
)
from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import InputError, one_line
from shallowdeep.files.yaml_file import parse
from shallowdeep.settings import params

FOLDER, PARAMS = Path("sweeps"), "params.yaml"
OVER = """a parameter and its values, as in epochs=10,30,100 or models.deep.hidden=[5,5,3],[8];
several in one word or in words of their own"""
MOST = 1_000  # experiments; a slip of the pen should not fill a queue for weeks

Setting = dict[str, str]  # values as they are written, by parameter


class Outcome(NamedTuple):
    """Results of all experiments."""

    rows: pd.DataFrame  # one an experiment: parameters, scores, difference alone and among all
    compared: list[Comparison]  # corrected for their number
    failures: list[str]  # a line for each experiment without results
    last: Experiment | None  # for values that all share: their count, alpha


def settings_of(over: Sequence[str]) -> list[Setting]:
    """All combinations of values, each allowed in params.yaml.

    Raises:
        InputError: no parameter, one without values, or a value that is not allowed.
    """
    from dvc.exceptions import DvcException
    from dvc.utils.hydra import apply_overrides, get_hydra_sweeps
    from hydra.errors import HydraException

    for one in over:
        if not all(one.partition("=")):
            raise InputError(f"{one}: is no parameter with values, as in epochs=10,30,100")
    try:
        combinations = [one[PARAMS] for one in get_hydra_sweeps({PARAMS: list(over)})]
        if len(combinations) > MOST:
            raise InputError(f"{len(combinations):,} experiments are more than {MOST:,}")
        with TemporaryDirectory() as folder:
            for overrides in combinations:
                copied = Path(copy(PARAMS, folder))
                apply_overrides(copied, overrides)
                params.from_content(parse(copied), PARAMS)
    except (DvcException, HydraException):
        raise InputError(
            f"{' '.join(over)}: params.yaml has no such parameter, or these are no values, as in"
            " epochs=10,30,100"
        ) from None
    return [dict(override.split("=", 1) for override in one) for one in combinations]


def names_of(name: str, over: Sequence[str], count: int) -> list[str]:
    """Names that DVC gives to experiments: numbered if a value is a list, even of one."""
    from dvc.utils.hydra import to_hydra_overrides

    if not any(one.is_sweep_override() for one in to_hydra_overrides(list(over))):
        return [name]
    return [f"{name}-{i + 1}" for i in range(count)]


def run_all(name: str, over: Sequence[str], *, jobs: int) -> None:
    """Queue the experiments and wait until the queue is empty; DVC prints about each.

    Raises:
        InputError: DVC queues none; it has printed the reason.
    """
    dvc = [sys.executable, "-m", "dvc", "exp", "run"]
    chosen = itertools.chain.from_iterable(("-S", one) for one in over)
    for command in (["--queue", "--name", name, *chosen], ["--run-all", "--jobs", str(jobs)]):
        if subprocess.run([*dvc, *command], check=False).returncode:
            raise InputError(f"`dvc exp run {command[0]}` has failed")
    # A worker can stay idle for ever, and hold the pipe that this process writes to.
    subprocess.run([*dvc[:3], "queue", "stop"], stdout=subprocess.DEVNULL, check=False)


def outcome(names: Sequence[str], settings: Sequence[Setting]) -> Outcome:
    """Read the results of DVC's experiments."""
    found: list[Experiment] = []
    chosen, failures = [], []
    for one, setting in zip(names, settings, strict=True):
        try:
            found += experiments.read([one], predictions=True)
            chosen.append(setting)
        except InputError as error:
            values = " ".join(f"{key}={value}" for key, value in setting.items())
            reason = one_line(_reason(one) or str(error))
            failures.append(f"failed: {one} ({values}): {reason}")
    if not found:
        return Outcome(pd.DataFrame(), [], failures, None)
    ways = [at_level(one) for one in found]
    compared = step_down(ways, alpha=found[0].params.alpha)
    rows = [
        {"experiment": one.name, **setting, **_row(way(one.params.alpha), together)}
        for one, setting, way, together in zip(found, chosen, ways, compared, strict=True)
    ]
    return Outcome(pd.DataFrame(rows), compared, failures, found[-1])


def at_level(of: Experiment) -> AtLevel:
    """The comparison of an experiment's networks as a function of alpha."""
    assert of.predictions is not None
    design, networks = of.predictions.design, of.predictions.probabilities
    margin = of.params.equivalence_margin
    return lambda alpha: compare(
        QUESTION,
        design,
        *(networks[name] for name in QUESTION),
        alpha=alpha,
        equivalence_margin=margin,
    )


def _row(alone: Comparison, together: Comparison) -> dict[str, object]:
    """Scores, the difference, and its interval and verdict by itself and among all."""
    scores = {name: alone.scores[name].mean for name in (SHALLOW, DEEP)}
    mean, _, low, high, _ = together.difference
    return {
        **scores,
        "mean": mean,
        "low": low,
        "high": high,
        "verdict": verdict(together),
        "low_alone": alone.difference.low,
        "high_alone": alone.difference.high,
        "verdict_alone": verdict(alone),
    }


def _reason(name: str) -> str:
    """Last line that a failed experiment's stage printed, from DVC's log."""
    command = [sys.executable, "-m", "dvc", "queue", "logs", name]
    log = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    lines = log.partition("ERROR: ")[0].splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")


def shown(found: Outcome) -> str:
    """A table of the results, then failures, the count of experiments, and the verdicts' count."""
    if not found.last:
        return "\n".join(found.failures)
    rows, alpha = found.rows, found.last.params.alpha
    cells = rows.loc[:, :DEEP]
    plain, signed = partial(rounded, digits=3), partial(rounded, digits=3, sign="+")
    cells = cells.assign(**{name: rows[name].map(plain) for name in (SHALLOW, DEEP)})
    cells[str(QUESTION)] = rows["mean"].map(signed)
    bounds = rows["low"].map(signed) + " to " + rows["high"].map(signed)
    cells[f"{100 * (1 - alpha):g} % interval, all at once"] = bounds
    cells["verdict"] = rows["verdict"]
    table = tabulate(cells, "keys", "plain", showindex=False, disable_numparse=True)
    note = familywise_note(found.last.experiments, alpha=alpha)
    end = f"{summary(found.compared, alpha=alpha)}."
    return "\n".join([table, "", *found.failures, note, end])


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    about, _, how = (__doc__ or "").partition("\n")
    options = argparse.ArgumentParser("shallowdeep sweep", description=about, epilog=how)
    options.add_argument("over", nargs="+", metavar="KEY=VALUE,...", help=OVER)
    options.add_argument("--jobs", type=int, default=1, help="how many run at a time (default: 1)")
    return options


def main(arguments: Sequence[str]) -> None:
    """Run the experiments, print the table, and write it and a map to sweeps/."""
    options = parser().parse_args(arguments)
    if options.jobs < 1:
        raise InputError(f"--jobs: {options.jobs} is below 1")
    over = [one for word in options.over for one in word.split()]
    settings = settings_of(over)
    name = f"sweep-{datetime.now():%Y%m%d-%H%M%S}"
    run_all(name, over, jobs=options.jobs)
    found = outcome(names_of(name, over, len(settings)), settings)
    if found.last:
        path = FOLDER / f"{name}.csv"
        write_text(path, found.rows.to_csv(index=False, float_format="%.6f"))
        write_text(
            path.with_suffix(".svg"), verdict_map(found.rows, list(settings[0]), title=TITLE)
        )
    print(f"\n{shown(found)}")
    if not found.last:
        raise InputError("every experiment has failed")
    print(f"{path} has this table, {path.with_suffix('.svg')} the map of verdicts")
