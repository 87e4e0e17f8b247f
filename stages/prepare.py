"""data.dir -> data/prepared, results/rejected.csv, results/data.json: pictures become an array."""

import json
from pathlib import Path

import numpy as np

from shallowdeep import params, picture_folder, prepared, preparation, solver, split
from shallowdeep.atomic import replacing, write_text
from shallowdeep.errors import told_in_one_line
from shallowdeep.gram import gram
from shallowdeep.normalisation import Normalisation
from shallowdeep.params import Params

OUT, RESULTS = Path("data/prepared"), Path("results")


def main() -> None:
    """Prepare the pictures that params.yaml names."""
    settings = params.load(Path("params.yaml"))
    data = settings.data
    folder = Path(data.dir)
    classes = picture_folder.classes(folder)
    files = picture_folder.find(folder, classes)
    with replacing(OUT) as out, replacing(RESULTS / "rejected.csv") as listing:
        out.mkdir()
        accepted, rejected = preparation.decode_all(folder, files, data, out / "pictures.npy")
        manifest = _manifest(accepted, settings, classes)
        summary = _finish(out, manifest, settings, classes)
        prepared.write(out, manifest, summary)
        preparation.write_rejected(rejected, listing)
    counts = prepared.count(manifest, classes)
    report = {"pictures": len(manifest), "rejected": len(rejected), "split": counts}
    write_text(RESULTS / "data.json", json.dumps(report, indent=2, sort_keys=True) + "\n")
    parts = ", ".join(f"{sum(counts[name].values()):,} {name}" for name in split.SPLITS)
    print(f"prepare: {len(manifest):,} pictures: {parts}")
    if rejected:
        print(f"prepare: warning: {len(rejected):,} files left out, see results/rejected.csv")


def _manifest(
    accepted: list[preparation.Accepted], settings: Params, classes: tuple[str, str]
) -> list[prepared.Entry]:
    labels = np.array([picture.found.label for picture in accepted], dtype=np.int64)
    splits = split.stratified(labels, settings.data.split, classes=classes, seed=settings.seed)
    return [
        prepared.Entry(found.path, sha256, found.label, name, width, height)
        for (found, sha256, width, height), name in zip(accepted, splits, strict=True)
    ]


def _finish(
    out: Path, manifest: list[prepared.Entry], settings: Params, classes: tuple[str, str]
) -> prepared.Summary:
    """Settle mean and standard deviation, and write the Gram matrix where it will be used."""
    pictures = np.load(out / "pictures.npy", mmap_mode="r")
    train = np.flatnonzero([entry.split == "train" for entry in manifest])
    mean, std = settings.data.mean, settings.data.std
    if mean == "train" or std == "train":
        measured_mean, measured_std = preparation.measured(pictures, train)
        mean = measured_mean if mean == "train" else mean
        std = measured_std if std == "train" else std
    chosen = solver.choose(settings.solver, pictures=len(manifest), train=len(train))
    if chosen == "dual":
        matrix = np.lib.format.open_memmap(
            out / "gram.npy", "w+", np.float32, (len(manifest), len(train))
        )
        gram(pictures, train, Normalisation(mean, std), out=matrix)
        matrix.flush()
    return prepared.Summary(classes, settings.data.size, mean, std)


if __name__ == "__main__":
    with told_in_one_line("prepare"):
        main()
