"""data/prepared -> models/NAME.pt, results/NAME/: train one network, many runs on every fold."""

import os
import sys

from shallowdeep.files.arithmetic import pin_arithmetic, pinned
from shallowdeep.files.errors import InputError, told_in_one_line
from shallowdeep.provenance.beginning import begin
from shallowdeep.training import launching

STAGE = f"train-{sys.argv[1]}" if len(sys.argv) == 2 else "train"


def start_ranks() -> None:
    """Where several are asked for, this process starts them and needs nothing that they import."""
    if __name__ != "__main__":
        return  # a benchmark measures how long it takes to import this
    if len(sys.argv) != 2:
        raise InputError("usage: python stages/train.py NAME, a model of params.yaml")
    if number := launching.wanted_ranks():
        launching.launch(sys.argv, number)
        sys.exit()


os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # a page when the last but one rank has gone
begin(STAGE, first=start_ranks)
pin_arithmetic()

import time
from pathlib import Path

from shallowdeep.files.checksums import of_array
from shallowdeep.files.cores import available_cores
from shallowdeep.files.imports import imported
from shallowdeep.files.progress import Progress
from shallowdeep.prepared import prepared_set
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.provenance.records import Inputs, recorded, unrecorded
from shallowdeep.settings import params
from shallowdeep.training import devices, fold_0, held_out, history, model, ranks
from shallowdeep.training.checkpoint import Checkpoints
from shallowdeep.training.fitting import Fitting, Settings, asked_after, seeds
from shallowdeep.training.made import Made, parameters
from shallowdeep.training.ranks import Ranks


def main(name: str, inputs: Inputs | None, process: Ranks) -> None:
    """Train the network `name` of params.yaml; `inputs` is all that is read."""
    settings = params.read(Path("params.yaml"))
    if name not in settings.models:
        known = ", ".join(settings.models)
        raise InputError(f"{name!r} is no model in params.yaml; there are {known}")
    network = settings.models[name]
    pictures = prepared_set.read(Path("data/prepared"))
    pictures.check_folds(settings.folds)
    chosen = pictures.solver_of(settings.solver)
    device = devices.pick(settings.device, number=process.here)
    cores = max(1, available_cores() // process.count_here)
    by_fold = seeds(settings.seed, folds=settings.folds, runs=settings.runs)

    start = time.perf_counter()
    place = None
    if inputs is not None:
        read = {**inputs.hashes, **pinned(), "device": str(device)}
        process.check_alike(read)
        place = Checkpoints(f"train-{name}", read)
    how = Settings(network.hidden, network.epochs, settings.batch_size, settings.lr, settings.keep)
    fitting = Fitting(
        pictures,
        how,
        by_fold,
        solver=chosen,
        device=device,
        cores=cores,
        ranks=process,
    )
    if place and place.exist(fitting.team) and not process.rank:
        print(f"train-{name}: goes on where it was interrupted")
    fitted = fitting.fit(checkpoints=place)  # here all ranks but 0 end
    made = Made(
        pictures=pictures.sha256,
        answers=of_array(fitted.answers),
        asked=asked_after(network.epochs),
        parameters=parameters(settings, name),
    )
    normalisation = Normalisation(pictures.mean, pictures.std)
    trained = model.Model(
        fitted.layers, by_fold[0], pictures.classes, pictures.size, normalisation, made
    )
    with Progress("asking fold 0's runs", len(pictures.manifest), unit="pictures") as progress:
        own = trained.on_its_own(pictures, threads=cores, advance=progress.advance)
    if inputs:
        inputs.check_unchanged()
    results, file = Path("results") / name, Path("models") / f"{name}.pt"
    model.write(trained, file)
    fold_0.write(own, file, results / "fold_0.safetensors")
    held_out.write(fitted.answers, results / "answers.npy")
    history.write(fitted.history, results / "history.csv")
    if place:
        place.remove()
    loss, _, accuracy = fitted.history[:, :, -1].mean((0, 1))
    print(
        f"train-{name}: {_times(settings.runs, 'run')} on {_times(settings.folds, 'fold')}, "
        f"{_times(network.epochs, 'epoch')}, {chosen} solver on {device}, "
        f"{f'{process.count} ranks, ' * (process.count > 1)}{time.perf_counter() - start:.1f} s: "
        f"{history.measures_in_words(loss, accuracy)}"
    )


def run(process: Ranks) -> None:
    """Train as one of some processes, the first of which writes, and leaves a record."""
    record = unrecorded if process.rank else recorded
    if process.here:
        process.wait_for_others()  # the first of a machine has then hashed what all of it read
    with record(STAGE) as read:
        if not process.here:
            process.wait_for_others()
        main(sys.argv[1], read, process)


def _times(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number > 1)}"


if __name__ == "__main__":
    imported()
    with told_in_one_line(STAGE), ranks.joined() as process:
        run(process)
