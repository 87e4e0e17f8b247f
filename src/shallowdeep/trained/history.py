"""models/NAME/history.csv: losses and accuracy after every epoch of every run."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shallowdeep.files.reading import read_or_explain
from shallowdeep.trained.tuned import Tuned

FILE = "history.csv"
# Of each run: mean over the training pictures, each as its batch came up; then after the epoch.
MEASURES = ("train_loss", "validation_loss", "validation_accuracy")


def write(history: NDArray[np.floating[Any]], path: Path, tuned: Tuned | None) -> None:
    """Write MEASURES of every epoch [L, K, R, E, 3], a row per lr, fold, run and epoch, 6 decimals.

    The column `lr` is there only if params.yaml lists learning rates.
    """
    *shape, measures = history.shape
    table = pd.DataFrame(
        _places(tuple(shape), tuned)
        | dict(zip(MEASURES, history.reshape(-1, measures).T.astype(np.float64), strict=True))
    )
    if tuned:
        table["lr"] = table["lr"].map(repr)  # not with six decimals
    table.to_csv(path, index=False, float_format="%.6f", lineterminator="\n")


def read(
    path: Path, tuned: Tuned | None, *, folds: int, runs: int, epochs: int
) -> NDArray[np.float64]:
    """Read MEASURES of every epoch: float64 [L, K, R, E, 3].

    Raises:
        InputError: the file is missing, or not as `write` wrote it for so many folds, runs and
            epochs.
    """
    shape = (len(tuned.lrs) if tuned else 1, folds, runs, epochs)

    def checked(path: Path) -> NDArray[np.float64]:
        table = pd.read_csv(path)
        measures = table[list(MEASURES)].to_numpy(np.float64).reshape(*shape, len(MEASURES))
        places = _places(shape, tuned)
        if tuple(table.columns) != (*places, *MEASURES):
            raise ValueError
        if any(not np.array_equal(table[name], place) for name, place in places.items()):
            raise ValueError
        if not np.isfinite(measures[tuned.numbers if tuned else 0, range(folds)]).all():
            raise ValueError  # at a learning rate that was not taken it can be
        return measures

    return read_or_explain(path, checked)


def _places(shape: tuple[int, ...], tuned: Tuned | None) -> dict[str, NDArray[Any]]:
    """The columns before MEASURES, for every row."""
    lr, fold, run, epoch = np.indices(shape).reshape(4, -1)
    places = {"lr": np.array(tuned.lrs)[lr]} if tuned else {}
    return places | {"fold": fold, "run": run, "epoch": epoch + 1}
