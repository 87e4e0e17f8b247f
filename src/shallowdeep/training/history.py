"""history.csv: what every epoch of every run came to."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shallowdeep.files.atomic import replacing
from shallowdeep.files.errors import InputError
from shallowdeep.training.sgd import Epoch

MEASURES = Epoch._fields
COLUMNS = ("run", "epoch", *MEASURES)


def write(history: Sequence[Epoch], path: Path) -> None:
    """Write one row per run and epoch, numbers with 6 decimals."""
    measures = np.array([[values.numpy() for values in epoch] for epoch in history])  # [E, 3, R]
    epochs, _, runs = measures.shape
    columns = {
        "run": np.repeat(np.arange(runs), epochs),
        "epoch": np.tile(np.arange(1, epochs + 1), runs),
    }
    for number, name in enumerate(MEASURES):
        columns[name] = measures[:, number].T.ravel().astype(np.float64)
    with replacing(path) as new:
        table = pd.DataFrame(columns)
        table.to_csv(new, index=False, float_format="%.6f", lineterminator="\n")


def read(path: Path) -> NDArray[np.float64]:
    """Read the measures of every run and epoch: float64 [R, epochs, 3], in the order of MEASURES.

    Raises:
        InputError: the file is missing, or not as `write` wrote it.
    """
    try:
        table = pd.read_csv(path)
        runs = int(table["run"].iloc[-1]) + 1
        measures = table[list(MEASURES)].to_numpy(np.float64).reshape(runs, -1, len(MEASURES))
        if tuple(table.columns) != COLUMNS or not np.isfinite(measures).all():
            raise ValueError
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except (ValueError, LookupError):
        raise InputError(f"{path}: damaged or altered; `dvc repro --force` makes it anew") from None
    return measures
