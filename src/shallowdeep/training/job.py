"""The training that params.yaml asks for: one network, its solver, device, cores and ranks."""

import time

import numpy as np

from shallowdeep.files.arithmetic import pinned
from shallowdeep.files.cores import available_cores
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.provenance.dvc_stage import Hashes
from shallowdeep.settings.params import Params
from shallowdeep.trained.model import Model, StoredLayer
from shallowdeep.trained.predictions import Predictions
from shallowdeep.trained.trained_network import TrainedNetwork
from shallowdeep.trained.tuned import Tuned
from shallowdeep.training import devices
from shallowdeep.training.checkpoint import Checkpoints
from shallowdeep.training.fitting import Fitting, asked_after, seeds
from shallowdeep.training.live import Live
from shallowdeep.training.ranks import Ranks
from shallowdeep.training.sgd import Settings, measures_line
from shallowdeep.training.tuning import remarks


class Job:
    """One network of params.yaml, ready to be trained.

    Args:
        name: of the network.
        settings: all of params.yaml.
        pictures: prepared for the same folds.
        process: this one among the ranks.
        inputs: hashes of all that the training depends on, by path; empty where no state of it is
            to be kept.
    """

    def __init__(
        self, name: str, settings: Params, pictures: Prepared, process: Ranks, inputs: Hashes
    ) -> None:
        self._start = time.perf_counter()
        self._name, network = name, settings.networks[name]
        pictures.check_folds(settings.folds)
        self._pictures = pictures
        self._seeds = seeds(settings.seed, folds=settings.folds, runs=settings.runs)
        self._solver = pictures.solver_of(settings.solver)
        self._device = devices.pick(settings.device, number=process.here)
        self._ranks, self._epochs, self._lrs = process, network.epochs, network.lrs
        self._checkpoints = None
        if inputs:
            depends_on = {**inputs, **pinned(), "device": str(self._device)}
            process.check_alike(depends_on)
            self._checkpoints = Checkpoints(f"train-{name}", depends_on)
        self._fitting = Fitting(
            pictures,
            Settings(
                network.hidden,
                network.epochs,
                settings.batch_size,
                network.lr,
                settings.keep,
                network.init,
                settings.momentum,
                settings.nesterov,
                settings.weight_decay,
            ),
            self._seeds,
            solver=self._solver,
            device=self._device,
            cores=max(1, available_cores() // process.count_here),
            ranks=process,
        )

    @property
    def resumes(self) -> bool:
        """True if an interrupted training of the same inputs has left its state."""
        return bool(self._checkpoints and self._checkpoints.exist() and not self._ranks.rank)

    def train(self) -> TrainedNetwork:
        """Train all runs on all folds; every rank but 0 ends here."""
        fitted = self._fitting.fit(self._checkpoints, Live(self._name))
        pictures = self._pictures
        model = Model(
            [
                StoredLayer(layer.weight.cpu().numpy(), layer.bias.cpu().squeeze(-1).numpy())
                for layer in fitted.layers
            ],
            self._seeds[0],
            pictures.classes,
            pictures.size,
            Normalisation(pictures.mean, pictures.std),
        )
        lrs = self._lrs
        tuned = Tuned(list(lrs), [lrs[number] for number in fitted.taken]) if lrs else None
        predictions = Predictions(asked_after(self._epochs), *fitted.predictions, tuned)
        return TrainedNetwork(model, predictions, fitted.history.astype(np.float64))

    def remove_checkpoints(self) -> None:
        """Remove the state that is of no use once the outputs are written."""
        if self._checkpoints:
            self._checkpoints.remove()

    def summary(self, network: TrainedNetwork) -> list[str]:
        """Lines for the terminal: a summary, and how the learning rate was chosen."""
        loss, _, accuracy = network.history[:, :, -1].mean((0, 1))
        folds, runs, seconds = len(self._seeds), len(self._seeds[0]), time.perf_counter()
        line = (
            f"{_times(runs, 'run')} on {_times(folds, 'fold')}, {_times(self._epochs, 'epoch')}, "
            f"{self._solver} solver on {self._device}, "
            f"{f'{self._ranks.count} ranks, ' * (self._ranks.count > 1)}"
            f"{seconds - self._start:.1f} s: "
            f"{measures_line(loss, accuracy)}"
        )
        tuned = network.predictions.tuned
        return [line, *(remarks(tuned, network.histories) if tuned else [])]


def _times(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number > 1)}"
