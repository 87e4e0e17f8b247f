"""data/prepared -> models/NAME.pt, results/NAME/: train one network, many runs on every fold."""

import sys

from shallowdeep.files.arithmetic import pin_arithmetic, pinned
from shallowdeep.provenance.beginning import begin

STAGE = f"train-{sys.argv[1]}" if len(sys.argv) == 2 else "train"
begin(STAGE)
pin_arithmetic()

import gc
import time
from pathlib import Path

from shallowdeep.files.checksums import of_array
from shallowdeep.files.cores import available_cores
from shallowdeep.files.errors import InputError, told_in_one_line
from shallowdeep.prepared import prepared_set, solver
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.provenance.records import Inputs, recorded
from shallowdeep.settings import params
from shallowdeep.training import devices, held_out, history, model
from shallowdeep.training.checkpoint import Checkpoints
from shallowdeep.training.fitting import Fitting, Settings, asked_after, seeds


def main(name: str, inputs: Inputs | None) -> None:
    """Train the network `name` of params.yaml; `inputs` is all that is read."""
    settings = params.read(Path("params.yaml"))
    if name not in settings.models:
        known = ", ".join(settings.models)
        raise InputError(f"{name!r} is no model in params.yaml; there are {known}")
    network = settings.models[name]
    pictures = prepared_set.read(Path("data/prepared"))
    pictures.check_folds(settings.folds)
    chosen = solver.of_prepared(settings.solver, has_gram=pictures.has_gram)
    device = devices.pick(settings.device)
    by_fold = seeds(settings.seed, folds=settings.folds, runs=settings.runs)

    start = time.perf_counter()
    place = None
    if inputs is not None:
        place = Checkpoints(f"train-{name}", {**inputs.hashes, **pinned(), "device": str(device)})
        if place.exist:
            print(f"train-{name}: goes on where it was interrupted")
    how = Settings(network.hidden, network.epochs, settings.batch_size, settings.lr, settings.keep)
    fitting = Fitting(pictures, how, by_fold, solver=chosen, device=device, cores=available_cores())
    fitted = fitting.fit(checkpoints=place)
    made = model.Made(
        pictures=pictures.sha256,
        answers=of_array(fitted.answers),
        asked=asked_after(network.epochs),
        parameters=model.parameters(settings, name),
    )
    normalisation = Normalisation(pictures.mean, pictures.std)
    trained = model.Model(
        fitted.layers, by_fold[0], pictures.classes, pictures.size, normalisation, made
    )
    if inputs:
        inputs.check_unchanged()
    results = Path("results") / name
    model.write(trained, Path("models") / f"{name}.pt")
    held_out.write(fitted.answers, results / "answers.npy")
    history.write(fitted.history, results / "history.csv")
    if place:
        place.remove()
    loss, _, accuracy = fitted.history[:, :, -1].mean((0, 1))
    print(
        f"train-{name}: {_times(settings.runs, 'run')} on {_times(settings.folds, 'fold')}, "
        f"{_times(network.epochs, 'epoch')}, {chosen} solver on {device}, "
        f"{time.perf_counter() - start:.1f} s: {history.in_words(loss, accuracy)}"
    )


def _times(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number > 1)}"


if __name__ == "__main__":
    with told_in_one_line(STAGE):
        if len(sys.argv) != 2:
            raise InputError("usage: python stages/train.py NAME, a model of params.yaml")
        with recorded(STAGE) as read:
            main(sys.argv[1], read)
        gc.freeze()  # at its end Python would look through all of torch, for a third of a second
