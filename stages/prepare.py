"""data.dir -> data/prepared, results/rejected.csv, results/data.json: pictures become an array."""

from pathlib import Path

import numpy as np

from shallowdeep.files.atomic import replacing
from shallowdeep.files.errors import one_line
from shallowdeep.files.imports import imported
from shallowdeep.pictures import preparation, so_far
from shallowdeep.pictures.listing import Listed
from shallowdeep.prepared import (
    channels,
    data_report,
    folds,
    gram,
    near_duplicates,
    prepared_set,
    solver,
)
from shallowdeep.provenance.records import Run
from shallowdeep.provenance.stage import stage
from shallowdeep.settings import params

OUT, RESULTS = Path("data/prepared"), Path("results")
CONFLICTS = RESULTS / "conflicts.csv"  # no output: it is there only where the stage has failed


def main(settings: params.Params, found: Listed, inputs: Run) -> None:
    """Prepare the pictures that params.yaml names; `inputs` is all that is read."""
    data, source = settings.data, Path(settings.data.dir)
    with (
        replacing(OUT) as out,
        replacing(RESULTS / "rejected.csv") as left_out,
        replacing(RESULTS / "near_duplicates.csv") as near,
        replacing(RESULTS / "data.json") as counts,
    ):
        out.mkdir()
        array = out / "pictures.npy"
        with so_far.kept(inputs.inputs or None, otherwise=array) as done:
            if done.goes_on:
                print("prepare: goes on where it was interrupted")
            decoded = preparation.decode_all(source, found.files, data, done)
            done.hand_over(array)
            groups = near_duplicates.groups(np.load(array, mmap_mode="r"))
            manifest = preparation.manifest(
                decoded,
                found.classes,
                data.split,
                folds=settings.folds,
                seed=settings.seed,
                near=groups,
            )
            first = folds.fold(manifest["fold"].to_numpy(), 0, folds=settings.folds)
            normalisation = channels.normalisation(array, first.train, data)
            if solver.choose(settings, len(manifest)) == "dual":
                gram.write(out, normalisation)
        summary = prepared_set.Summary(found.classes, settings.folds, data.size, *normalisation)
        prepared_set.write(out, manifest, summary)
        alike = near_duplicates.described(manifest, groups)
        report = decoded.report(near_duplicates=len(alike), skipped=len(found.skipped))
        data_report.write_listing(decoded.left_out(), left_out)
        data_report.write_listing(alike, near)
        data_report.write_counts(report, counts)
        inputs.check_unchanged()
        said = report.in_words(prepared_set.count(manifest, summary))
    for line in (said, *near_duplicates.warnings(alike)):
        print("prepare:", one_line(line))


@stage("prepare")
def prepare(run: Run) -> None:
    """Prepare."""
    imported()
    CONFLICTS.unlink(missing_ok=True)  # of an earlier try
    settings = params.read(Path("params.yaml"))
    found = preparation.planned(settings)
    if said := solver.warning(settings, len(found.files)):
        print("prepare:", said)
    try:
        main(settings, found, run)
    except preparation.InBothClasses as error:
        with replacing(CONFLICTS) as conflicts:
            data_report.write_listing(error.files, conflicts)
        raise


if __name__ == "__main__":
    prepare()
