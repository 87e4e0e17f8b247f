"""models/NAME: all that is known of a trained network, in three files."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.atomic import replacing_all
from shallowdeep.settings.params import Params
from shallowdeep.trained import history, model, predictions
from shallowdeep.trained.model import Model
from shallowdeep.trained.predictions import Predictions

FOLDER = Path("models")


class TrainedNetwork(NamedTuple):
    """One network of params.yaml, trained by many runs on every fold."""

    model: Model  # weights of fold 0's runs
    predictions: Predictions
    history: NDArray[np.float64]  # measures of every epoch [K, R, E, 3]


def write(network: TrainedNetwork, name: str) -> None:
    """Write the three files of a network, all or none."""
    files = (FOLDER / name / file for file in (model.FILE, predictions.FILE, history.FILE))
    with replacing_all(files) as (weights, predicted, by_epoch):
        model.write(network.model, weights)
        predictions.write(network.predictions, predicted)
        history.write(network.history, by_epoch)


def read(name: str, settings: Params, *, tested: int) -> TrainedNetwork:
    """Read the three files of a network; `tested` is the number of pictures that some fold tests.

    Raises:
        InputError: a file is missing, damaged, or of another training.
    """
    folder, epochs, runs = FOLDER / name, settings.networks[name].epochs, settings.runs
    return TrainedNetwork(
        model.read(folder),
        predictions.read(folder / predictions.FILE, epochs=epochs, runs=runs, tested=tested),
        history.read(folder / history.FILE, folds=settings.folds, runs=runs, epochs=epochs),
    )
