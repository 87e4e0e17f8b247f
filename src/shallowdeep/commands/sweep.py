"""Run many experiments through DVC's queue and tabulate their results: python -m shallowdeep sweep.

Every combination of the values is an experiment of DVC's (`dvc exp show` lists them, `dvc exp apply
NAME` brings one back). Those that fail stop nothing and are listed.
"""

import argparse
import itertools
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pandas as pd
from tabulate import tabulate

from shallowdeep.commands import experiments
from shallowdeep.commands.experiments import Experiment
from shallowdeep.commands.sweep_chart import against_each_parameter
from shallowdeep.evaluation.metrics import DIFFERENCE
from shallowdeep.evaluation.verdict import DEEP, QUESTION, SCORE, SHALLOW, familywise_note
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

    rows: pd.DataFrame  # one an experiment: its parameters, then `NUMBERS` and the verdict
    failures: list[str]  # a line for each experiment without results
    last: Experiment | None  # for values that all share: their count, the equivalence margin


NUMBERS = {  # of metrics.json, by their columns
    SHALLOW: f"{SHALLOW}.{SCORE}.mean",
    DEEP: f"{DEEP}.{SCORE}.mean",
    **{bound: f"{DIFFERENCE}.{SCORE}.{bound}" for bound in ("mean", "low", "high")},
}


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
    """Queue the experiments and wait until the queue is empty; DVC tells of each on the terminal.

    Raises:
        InputError: DVC queues none; it has printed the reason.
    """
    dvc = [sys.executable, "-m", "dvc", "exp", "run"]
    chosen = itertools.chain.from_iterable(("-S", one) for one in over)
    for command in (["--queue", "--name", name, *chosen], ["--run-all", "--jobs", str(jobs)]):
        if subprocess.run([*dvc, *command], check=False).returncode:
            raise InputError(f"`dvc exp run {command[0]}` has failed")


def outcome(names: Sequence[str], settings: Sequence[Setting]) -> Outcome:
    """Read the results of DVC's experiments."""
    rows, failures, last = [], [], None
    for one, setting in zip(names, settings, strict=True):
        try:
            (last,) = experiments.read([one], predictions=False)
        except InputError as error:
            chosen = " ".join(f"{key}={value}" for key, value in setting.items())
            reason = one_line(_reason(one) or str(error))
            failures.append(f"failed: {one} ({chosen}): {reason}")
            continue
        numbers = [last.numbers[name] for name in NUMBERS.values()]
        rows.append([one, *setting.values(), *numbers, last.verdict])
    head = ["experiment", *settings[0], *NUMBERS, "verdict"]
    return Outcome(pd.DataFrame(rows, columns=head), failures, last)


def _reason(name: str) -> str:
    """Last line that a failed experiment's stage printed, from DVC's log."""
    command = [sys.executable, "-m", "dvc", "queue", "logs", name]
    log = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    lines = log.partition("ERROR: ")[0].splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")


def shown(found: Outcome) -> str:
    """A table of the results, then the failures, then the count of experiments."""
    if not found.last:
        return "\n".join(found.failures)
    rows, alpha = found.rows, found.last.params.alpha
    cells = rows.drop(columns=["mean", "low", "high", "verdict"])
    cells[[SHALLOW, DEEP]] = rows[[SHALLOW, DEEP]].map("{:.3f}".format)
    cells[str(QUESTION)] = rows["mean"].map("{:+.3f}".format)
    bounds = rows["low"].map("{:+.3f} to ".format) + rows["high"].map("{:+.3f}".format)
    cells[f"{100 * (1 - alpha):g} % interval"] = bounds
    cells["verdict"] = rows["verdict"]
    table = tabulate(cells, "keys", "plain", showindex=False, disable_numparse=True)
    note = familywise_note(found.last.experiments, alpha=alpha)
    return "\n".join([table, "", *found.failures, note])


def main(arguments: Sequence[str]) -> None:
    """Run the experiments, print the table, and write it and a chart to sweeps/."""
    about, _, how = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser("shallowdeep sweep", description=about, epilog=how)
    parser.add_argument("over", nargs="+", metavar="KEY=VALUE,...", help=OVER)
    parser.add_argument("--jobs", type=int, default=1, help="how many run at a time (default: 1)")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        raise InputError(f"--jobs: {options.jobs} is below 1")
    over = [one for word in options.over for one in word.split()]
    settings = settings_of(over)
    name = f"sweep-{datetime.now():%Y%m%d-%H%M%S}"
    run_all(name, over, jobs=options.jobs)
    found = outcome(names_of(name, over, len(settings)), settings)
    if found.last:
        path = FOLDER / f"{name}.csv"
        write_text(path, found.rows.to_csv(index=False))
        margin = found.last.params.equivalence_margin
        picture = against_each_parameter(found.rows, list(settings[0]), margin=margin)
        write_text(path.with_suffix(".svg"), picture)
    print(f"\n{shown(found)}")
    if not found.last:
        raise InputError("every experiment has failed")
    print(f"{path} and .svg: each difference with its interval")
