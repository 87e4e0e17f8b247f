"""data.dir -> data/prepared, results/rejected.csv, results/data.json: pictures become an array."""

from shallowdeep.errors import end_in_silence, one_line, told_in_one_line

end_in_silence()

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shallowdeep import channels, data_report, params, picture_folder, preparation, prepared, solver
from shallowdeep.atomic import replacing
from shallowdeep.gram import gram
from shallowdeep.normalisation import Normalisation
from shallowdeep.provenance import recorded

OUT, RESULTS = Path("data/prepared"), Path("results")


def main() -> None:
    """Prepare the pictures that params.yaml names."""
    settings = params.load(Path("params.yaml"))
    data, folder = settings.data, Path(settings.data.dir)
    classes = picture_folder.classes(folder)
    files = picture_folder.find(folder, classes)
    with (
        replacing(OUT) as out,
        replacing(RESULTS / "rejected.csv") as listing,
        replacing(RESULTS / "data.json") as report,
    ):
        out.mkdir()
        decoded = preparation.decode_all(folder, files, data, out / "pictures.npy")
        manifest = preparation.manifest(decoded, classes, data.split, seed=settings.seed)
        train = np.flatnonzero([entry.split == "train" for entry in manifest])
        normalisation = channels.normalisation(out / "pictures.npy", train, data)
        sizes = {"pictures": len(manifest), "train": len(train), "size": data.size}
        if solver.choose(settings.solver, **sizes) == "dual":
            write_gram(out, train, normalisation)
        prepared.write(out, manifest, prepared.Summary(classes, data.size, *normalisation))
        counts = prepared.count(manifest, classes)
        data_report.write_listing(decoded, listing)
        data_report.write_counts(decoded, counts, report)
    print("prepare:", one_line(data_report.in_words(decoded, counts, classes)))


def write_gram(out: Path, train: NDArray[np.intp], normalisation: Normalisation) -> None:
    """Write the Gram matrix as it grows."""
    pictures = np.load(out / "pictures.npy", mmap_mode="r")
    shape = (len(pictures), len(train))
    matrix = np.lib.format.open_memmap(out / "gram.npy", "w+", np.float32, shape)
    gram(pictures, train, normalisation, out=matrix)
    matrix.flush()


if __name__ == "__main__":
    with told_in_one_line("prepare"), recorded("prepare"):
        main()
