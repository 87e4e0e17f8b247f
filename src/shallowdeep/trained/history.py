"""models/NAME/history.csv: losses and accuracy after every epoch of every run."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError

FILE = "history.csv"
# Of each run: mean over the training pictures, each as its batch came up; then after the epoch.
MEASURES = ("train_loss", "validation_loss", "validation_accuracy")
COLUMNS = ("fold", "run", "epoch", *MEASURES)


def write(history: NDArray[np.floating[Any]], path: Path) -> None:
    """Write MEASURES of every epoch [K, R, E, 3], a row per fold, run and epoch, 6 decimals."""
    folds, runs, epochs, measures = history.shape
    places = np.indices((folds, runs, epochs)).reshape(3, -1)
    table = pd.DataFrame(
        {"fold": places[0], "run": places[1], "epoch": places[2] + 1}
        | dict(zip(MEASURES, history.reshape(-1, measures).T.astype(np.float64), strict=True))
    )
    table.to_csv(path, index=False, float_format="%.6f", lineterminator="\n")


def read(path: Path, *, folds: int, runs: int, epochs: int) -> NDArray[np.float64]:
    """Read MEASURES of every epoch: float64 [K, R, E, 3].

    Raises:
        InputError: the file is missing, or not as `write` wrote it for so many folds, runs and
            epochs.
    """
    try:
        table = pd.read_csv(path)
        flat = table[list(MEASURES)].to_numpy(np.float64)
        measures = flat.reshape(folds, runs, epochs, len(MEASURES))
        places = np.indices(measures.shape[:3]).reshape(3, -1)
        places[2] += 1
        if tuple(table.columns) != COLUMNS or not np.isfinite(measures).all():
            raise ValueError
        if not np.array_equal(table[["fold", "run", "epoch"]].to_numpy().T, places):
            raise ValueError
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except (ValueError, LookupError, OverflowError):
        raise InputError(
            f"{path}: damaged, altered or of another training; `dvc repro --force` makes it anew"
        ) from None
    return measures
