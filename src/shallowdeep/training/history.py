"""history.csv: what every epoch of every run came to."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.atomic import replacing
from shallowdeep.files.errors import InputError
from shallowdeep.training.sgd import Epoch

MEASURES = Epoch._fields
COLUMNS = ("run", "epoch", *MEASURES)


def write(history: Sequence[Epoch], path: Path) -> None:
    """Write one row per run and epoch, numbers with 6 decimals."""
    with replacing(path) as new, new.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for run in range(len(history[0].train_loss)):
            for number, epoch in enumerate(history, start=1):
                rows.writerow([run, number, *(f"{float(values[run]):.6f}" for values in epoch)])


def read(path: Path) -> NDArray[np.float64]:
    """Read the measures of every run and epoch: float64 [R, epochs, 3], in the order of MEASURES.

    Raises:
        InputError: the file is missing, or not as `write` wrote it.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        table = np.array(rows, dtype=np.float64)
        runs = int(table[-1, 0]) + 1
        measures = table[:, 2:].reshape(runs, -1, len(MEASURES))
        if tuple(header) != COLUMNS or not np.isfinite(measures).all():
            raise ValueError
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except (ValueError, IndexError):
        raise InputError(f"{path}: damaged or altered; `dvc repro --force` makes it anew") from None
    return measures
