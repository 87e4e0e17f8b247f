"""models/NAME: all that is known of a trained network, in three files."""

from pathlib import Path
from typing import Any, NamedTuple

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
    histories: NDArray[np.float64]  # measures of every epoch, at each learning rate [L, K, R, E, 3]

    @property
    def history(self) -> NDArray[np.float64]:
        """Measures of every epoch, at the learning rate that each fold took [K, R, E, 3]."""
        tuned, folds = self.predictions.tuned, range(self.histories.shape[1])
        return self.histories[tuned.numbers if tuned else 0, folds]


def write(network: TrainedNetwork, name: str) -> None:
    """Write the three files of a network, all or none."""
    files = (FOLDER / name / file for file in (model.FILE, predictions.FILE, history.FILE))
    with replacing_all(files) as (weights, predicted, by_epoch):
        model.write(network.model, weights)
        predictions.write(network.predictions, predicted)
        history.write(network.histories, by_epoch, network.predictions.tuned)


def read(name: str, settings: Params, *, tested: int) -> TrainedNetwork:
    """Read the three files of a network; `tested` is the number of pictures that some fold tests.

    Raises:
        InputError: a file is missing, damaged, or of another training.
    """
    folder, network, runs = FOLDER / name, settings.networks[name], settings.runs
    alike: Any = {"folds": settings.folds, "runs": runs}
    found = predictions.read(folder / predictions.FILE, network, **alike, tested=tested)
    path, epochs = folder / history.FILE, network.epochs
    histories = history.read(path, found.tuned, **alike, epochs=epochs)
    return TrainedNetwork(model.read(folder), found, histories)
