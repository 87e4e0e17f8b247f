"""models/NAME/predictions.safetensors: the predictions of all runs of one network."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from shallowdeep.files.atomic import write_safetensors
from shallowdeep.files.reading import read_or_explain
from shallowdeep.settings.params import Network
from shallowdeep.trained.tuned import Tuned

FILE = "predictions.safetensors"
_ARRAYS = ("test", "train", "validation")


class Predictions(NamedTuple):
    """Probabilities of the second class."""

    epochs: list[int]  # after which the tested pictures were predicted [A]; last: the kept weights
    test: NDArray[np.float32]  # [A, R, N_tested], columns as in Prepared.tested
    train: NDArray[np.float32]  # [R, n], by fold 0's runs for fold 0's training pictures
    validation: NDArray[np.float32]  # [R, n], by fold 0's runs for its validation pictures
    tuned: Tuned | None = None  # if params.yaml lists learning rates: the choice of the folds


def write(predictions: Predictions, path: Path) -> None:
    """Write predictions, the same bytes every time."""
    arrays = {
        name: np.ascontiguousarray(getattr(predictions, name), np.float32) for name in _ARRAYS
    }
    about: dict[str, Any] = {"epochs": predictions.epochs}
    if predictions.tuned:
        about |= {"lrs": predictions.tuned.lrs, "lr": predictions.tuned.taken}
    write_safetensors(path, arrays, about)


def read(path: Path, network: Network, *, folds: int, runs: int, tested: int) -> Predictions:
    """Read a network's predictions; `tested` is the number of pictures that some fold tests.

    Raises:
        InputError: the file is missing, damaged, or of another training.
    """

    def checked(path: Path) -> Predictions:
        with safe_open(path, "numpy") as file:
            about = json.loads(file.metadata()["shallowdeep"])
            tuned = Tuned(about["lrs"], about["lr"]) if "lrs" in about else None
            test, train, validation = (file.get_tensor(name) for name in _ARRAYS)
            found = Predictions(about["epochs"], test, train, validation, tuned)
        shapes = (found.test.shape, len(found.train), len(found.validation))
        wanted = ((len(found.epochs), runs, tested), runs, runs)
        if found.epochs[-1] != network.epochs or shapes != wanted:
            raise ValueError
        if network.lrs != (tuned and tuple(tuned.lrs)):
            raise ValueError
        if tuned and (len(tuned.taken) != folds or not set(tuned.taken) <= set(tuned.lrs)):
            raise ValueError
        return found

    return read_or_explain(path, checked)
