"""data/prepared -> models/NAME.pt, results/NAME/history.csv: train one network, many runs."""

from shallowdeep.files.arithmetic import pin_arithmetic, pinned
from shallowdeep.files.errors import InputError, end_in_silence, told_in_one_line

end_in_silence()
pin_arithmetic()

import gc
import sys
import time
from pathlib import Path

from shallowdeep.prepared import prepared_set, solver
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.provenance.records import Hashes, recorded
from shallowdeep.settings import params
from shallowdeep.training import devices, history, model
from shallowdeep.training.checkpoint import Checkpoint
from shallowdeep.training.fitting import set_up
from shallowdeep.training.progress import Progress, describe
from shallowdeep.training.sgd import train


def main(name: str, inputs: Hashes | None) -> None:
    """Train the network `name` of params.yaml; `inputs` are the hashes of all that is read."""
    settings = params.read(Path("params.yaml"))
    if name not in settings.models:
        known = ", ".join(settings.models)
        raise InputError(f"{name!r} is no model in params.yaml; there are {known}")
    network = settings.models[name]
    pictures = prepared_set.read(Path("data/prepared"))
    rows, train_rows = len(pictures.labels), len(pictures.rows("train"))
    chosen = solver.choose(settings.solver, pictures=rows, train=train_rows, size=pictures.size)
    device = devices.pick(settings.device, threads=settings.threads)
    seeds = [settings.seed + run for run in range(settings.runs)]

    start = time.perf_counter()
    place = None
    if inputs is not None:
        place = Checkpoint(f"train-{name}", {**inputs, **pinned(), "device": str(device)})
        if place.exists:
            print(f"train-{name}: goes on where it was interrupted")
    runs = set_up(pictures, network.hidden, seeds, solver=chosen, device=device)
    with Progress(f"train-{name}", network.epochs) as progress:
        epochs = train(
            runs,
            epochs=network.epochs,
            batch_size=settings.batch_size,
            lr=settings.lr,
            keep=settings.keep,
            report=progress.show,
            checkpoint=place,
        )
    normalisation = Normalisation(pictures.mean, pictures.std)
    trained = model.Model(runs.trained(), seeds, pictures.classes, pictures.size, normalisation)
    model.write(trained, Path("models") / f"{name}.pt")
    history.write(epochs, Path("results") / name / "history.csv")
    if place:
        place.remove()
    number = f"{len(seeds)} run{'s' * (len(seeds) > 1)} of {network.epochs} epoch"
    print(
        f"train-{name}: {number}{'s' * (network.epochs > 1)}, {chosen} solver on {device}, "
        f"{time.perf_counter() - start:.1f} s: {describe(epochs[-1])}"
    )


if __name__ == "__main__":
    with told_in_one_line(f"train-{sys.argv[1]}" if len(sys.argv) == 2 else "train"):
        if len(sys.argv) != 2:
            raise InputError("usage: python stages/train.py NAME, a model of params.yaml")
        with recorded(f"train-{sys.argv[1]}") as read:
            main(sys.argv[1], read)
        gc.freeze()  # at its end Python would look through all of torch, for a third of a second
