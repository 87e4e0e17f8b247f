"""The peers side by side in one run: tables here, benchmarks/solvers.json and solvers.png.

    python benchmarks/solvers.py FOLDER [--quick] [--skip-pipeline] [--out FOLDER]

FOLDER holds photographs, one subfolder per class. They are prepared as params.yaml says. All train
by the same SGD (batches of 32, lr 0.01) on the same training pictures, on one thread; two rows have
their own ways: loader workers are processes besides, and `prepare` takes all cores. Ours also
measure the validation pictures after each epoch, which the others do not.
"""

import argparse
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cost
import epoch_times
import pipeline_time
import solvers_report
import torch
from peers import BATCH_SIZE, LR, Material

from shallowdeep.files.atomic import replacing, write_text
from shallowdeep.files.errors import one_line_errors
from shallowdeep.pictures import channels, gram, listing, preparation
from shallowdeep.prepared import folds, prepared_set
from shallowdeep.settings import params

HERE = Path(__file__).parent
FOLDS = (10, 1)  # of the whole pipeline, as params.yaml has them and as the source article
RATES = ("lr=0.01", "lr=[0.003,0.01,0.03,0.1]")  # one learning rate, and a choice of four
QUICK = epoch_times.Effort(repetitions=1, shortest=0, slow=0)


def prepare(photographs: Path, data: params.Data, folder: Path, *, seed: int) -> Material:
    """Prepare photographs for both solvers, in ten folds; one split is fold 0."""
    classes = listing.classes(photographs)
    files = listing.listed(photographs, classes).files
    decoded = preparation.decode_all(photographs, files, data, folder / "pictures.npy")
    manifest = preparation.manifest(decoded, classes, data.split, folds=FOLDS[0], seed=seed)
    train = folds.fold(manifest["fold"].to_numpy(), 0, folds=FOLDS[0]).train
    normalisation = channels.normalisation(folder / "pictures.npy", train, data)
    gram.write(folder, normalisation)
    summary = prepared_set.Summary(classes, FOLDS[0], data.size, *normalisation)
    prepared_set.write(folder, manifest, summary)
    return Material(photographs, prepared_set.read(folder))


def measure(
    photographs: Path,
    settings: params.Params,
    *,
    effort: epoch_times.Effort,
    counts: tuple[int, ...],
    pipeline_epochs: int | None,
) -> dict[str, Any]:
    """Everything that goes into the JSON file.

    Args:
        photographs: folder with a subfolder per class.
        settings: how to prepare them.
        effort: how long to measure an epoch.
        counts: numbers of pictures for the cost against them.
        pipeline_epochs: epochs of the whole pipeline; None leaves it out.
    """
    pipelines = [
        plain(pipeline_time.measure(photographs, epochs=pipeline_epochs, folds=number))
        for number in FOLDS
        if pipeline_epochs
    ]
    tuning = [
        plain(pipeline_time.measure(photographs, epochs=pipeline_epochs, changes=("keep=best", lr)))
        for lr in RATES
        if pipeline_epochs
    ]
    with TemporaryDirectory() as folder:
        material = prepare(photographs, settings.data, Path(folder), seed=settings.seed)
        pictures = {"all": len(material.data.manifest), "train": len(material.labels)}
        memory = epoch_times.peak_memory(material)
        rows = epoch_times.measure(material, effort)
        floor = epoch_times.floor(material, effort)
        before = [epoch_times.before_training(material, effort, folds=number) for number in FOLDS]
    costs = cost.measure(counts, size=settings.data.size, repetitions=effort.repetitions)
    return {
        "machine": machine(),
        "pictures": pictures | {"size": settings.data.size},
        "batch_size": BATCH_SIZE,
        "lr": LR,
        "networks": epoch_times.NETWORKS,
        "epoch": [
            plain(row) | {"times_faster": _baseline(rows, row.network) / row.seconds.median}
            for row in rows
        ],
        "floor": plain(floor),
        "added_memory_mib": plain(memory),
        "before_training": [
            {"folds": number} | plain(one) for number, one in zip(FOLDS, before, strict=True)
        ],
        "pipelines": pipelines,
        "tuning": tuning,
        "cost": [plain(one) for one in costs],
        "crossover_pictures": cost.crossover(costs),
    }


def _baseline(rows: list[epoch_times.Row], network: str) -> float:
    """Seconds of the first row, the article's loop."""
    return next(row.seconds.median for row in rows if row.network == network)


def plain(record: Any) -> Any:
    """A NamedTuple, and those in it, as JSON has them."""
    if hasattr(record, "_asdict"):
        return {name: plain(value) for name, value in record._asdict().items()}
    if isinstance(record, dict):
        return {name: plain(value) for name, value in record.items()}
    return record


def machine() -> dict[str, Any]:
    """Versions and machine that the figures depend on."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(": ")[1] for line in lines if line.startswith("model name")), cpu)
    packages = ("torch", "torchvision", "numpy", "scikit-learn", "dvc")
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
    } | {name: version(name) for name in packages}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photographs", type=Path, metavar="FOLDER", help="a subfolder per class")
    parser.add_argument("--quick", action="store_true", help="one repetition: does it work?")
    parser.add_argument("--skip-pipeline", action="store_true", help="leave the second table out")
    parser.add_argument("--out", type=Path, default=HERE, help="where to write (%(default)s)")
    options = parser.parse_args()

    settings = params.read(HERE.parent / "params.yaml")
    data = settings.data.model_copy(update={"dir": str(options.photographs)})
    epochs = None if options.skip_pipeline else 2 if options.quick else pipeline_time.EPOCHS
    found = measure(
        options.photographs,
        settings.model_copy(update={"data": data}),
        effort=QUICK if options.quick else epoch_times.Effort(),
        counts=cost.COUNTS[:2] if options.quick else cost.COUNTS,
        pipeline_epochs=epochs,
    )
    print(solvers_report.tables(found))
    write_text(options.out / "solvers.json", json.dumps(found, indent=2) + "\n")
    with replacing(options.out / "solvers.png") as new:
        solvers_report.draw(found, new)


if __name__ == "__main__":
    with one_line_errors("bench"):
        main()
