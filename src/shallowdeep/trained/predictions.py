"""models/NAME/predictions.safetensors: the predictions of all runs of one network."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from shallowdeep.files.atomic import write_safetensors
from shallowdeep.files.errors import InputError

FILE = "predictions.safetensors"
_ARRAYS = ("test", "train", "validation")


class Predictions(NamedTuple):
    """Probabilities of the second class."""

    epochs: list[int]  # after which the tested pictures were predicted [A]; last: the kept weights
    test: NDArray[np.float32]  # [A, R, N_tested], columns as in Prepared.tested
    train: NDArray[np.float32]  # [R, n], by fold 0's runs for fold 0's training pictures
    validation: NDArray[np.float32]  # [R, n], by fold 0's runs for its validation pictures


def write(predictions: Predictions, path: Path) -> None:
    """Write predictions, the same bytes every time."""
    arrays = {
        name: np.ascontiguousarray(getattr(predictions, name), np.float32) for name in _ARRAYS
    }
    write_safetensors(path, arrays, {"epochs": predictions.epochs})


def read(path: Path, *, epochs: int, runs: int, tested: int) -> Predictions:
    """Read predictions; `tested` is the number of pictures that some fold tests.

    Raises:
        InputError: the file is missing, damaged, or of another training.
    """
    try:
        with safe_open(path, "numpy") as file:
            about = json.loads(file.metadata()["shallowdeep"])
            found = Predictions(about["epochs"], *(file.get_tensor(name) for name in _ARRAYS))
        shapes = (found.test.shape, len(found.train), len(found.validation))
        if found.epochs[-1] != epochs or shapes != ((len(found.epochs), runs, tested), runs, runs):
            raise ValueError
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except (SafetensorError, OSError, ValueError, LookupError, TypeError):
        raise InputError(
            f"{path}: damaged, or of another training; `dvc repro --force` makes it anew"
        ) from None
    return found
