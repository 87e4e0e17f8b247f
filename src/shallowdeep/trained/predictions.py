"""models/NAME/predictions.safetensors: the probabilities that every run of a network gives."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from shallowdeep.files.atomic import write_safetensors
from shallowdeep.files.errors import InputError

FILE = "predictions.safetensors"


class Predictions(NamedTuple):
    """Probabilities of the second class by the runs of one network."""

    epochs: list[int]  # after which the tested pictures were predicted [A]
    test: NDArray[np.float32]  # [A, R, N_tested], columns as in Prepared.tested; last: kept weights
    train: NDArray[np.float32]  # [R, n], by fold 0's runs for the pictures they were trained on
    validation: NDArray[np.float32]  # [R, n], and for those that validate


def write(predictions: Predictions, path: Path) -> None:
    """Write predictions, the same bytes every time."""
    arrays = predictions._asdict()
    epochs = arrays.pop("epochs")
    packed = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
    write_safetensors(path, packed, {"epochs": epochs})


def read(path: Path, *, runs: int, tested: int) -> Predictions:
    """Read predictions.

    Args:
        path: of predictions.safetensors.
        runs: of each fold.
        tested: how many pictures some fold tests.

    Raises:
        InputError: the file is missing, damaged, or of other runs or pictures.
    """
    try:
        with safe_open(path, "numpy") as file:
            epochs = json.loads(file.metadata()["shallowdeep"])["epochs"]
            arrays = {name: file.get_tensor(name) for name in Predictions._fields[1:]}
        if arrays["test"].shape != (len(epochs), runs, tested):
            raise ValueError
        return Predictions(epochs, **arrays)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except (SafetensorError, ValueError, LookupError, TypeError):
        raise InputError(
            f"{path}: damaged, or of another training; `dvc repro --force` makes it anew"
        ) from None
