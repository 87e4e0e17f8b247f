"""data.dir -> data/prepared, results/rejected.csv, results/data.json: pictures become an array."""

from shallowdeep.files.errors import end_in_silence, one_line, told_in_one_line

end_in_silence()

from pathlib import Path

from shallowdeep.files.atomic import replacing
from shallowdeep.pictures import listing, preparation
from shallowdeep.prepared import channels, data_report, folds, gram, prepared_set, solver
from shallowdeep.provenance.records import recorded
from shallowdeep.settings import params

OUT, RESULTS = Path("data/prepared"), Path("results")


def main() -> None:
    """Prepare the pictures that params.yaml names."""
    settings = params.read(Path("params.yaml"))
    data, source = settings.data, Path(settings.data.dir)
    classes = listing.classes(source)
    files = listing.find(source, classes)
    if said := solver.warning(settings, len(files)):  # and `dual` that cannot be is refused
        print("prepare:", said)
    with (
        replacing(OUT) as out,
        replacing(RESULTS / "rejected.csv") as left_out,
        replacing(RESULTS / "data.json") as counts,
    ):
        out.mkdir()
        decoded = preparation.decode_all(source, files, data, out / "pictures.npy")
        manifest = preparation.manifest(
            decoded, classes, data.split, folds=settings.folds, seed=settings.seed
        )
        first = folds.fold(manifest["fold"].to_numpy(), 0, folds=settings.folds)
        normalisation = channels.normalisation(out / "pictures.npy", first.train, data)
        if solver.choose(settings, len(manifest)) == "dual":
            gram.write(out, normalisation)
        summary = prepared_set.Summary(classes, settings.folds, data.size, *normalisation)
        prepared_set.write(out, manifest, summary)
        report = decoded.report()
        data_report.write_listing(decoded.rejected + decoded.duplicates, left_out)
        data_report.write_counts(report, counts)
        said = report.in_words(prepared_set.count(manifest, summary))
    print("prepare:", one_line(said))


if __name__ == "__main__":
    with told_in_one_line("prepare"), recorded("prepare"):
        main()
