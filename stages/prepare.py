"""data.dir -> data/prepared, results/{data.json,rejected.csv,near_duplicates.csv}."""

from pathlib import Path

from shallowdeep.files.imports import importing
from shallowdeep.provenance.records import Run
from shallowdeep.provenance.stage import stage

OUT, RESULTS = Path("data/prepared"), Path("results")
CONFLICTS = RESULTS / "conflicts.csv"  # no output: it exists only if the stage has failed


@stage("prepare")
def prepare(run: Run) -> None:
    """Decode, resize and split the pictures of params.yaml's data.dir."""
    with importing():
        from shallowdeep.files.atomic import replacing
        from shallowdeep.files.errors import one_line
        from shallowdeep.pictures import solver
        from shallowdeep.pictures.preparation import InBothClasses, planned, prepare_pictures
        from shallowdeep.prepared.data_report import write_counts, write_listing
        from shallowdeep.settings import params

    CONFLICTS.unlink(missing_ok=True)  # of an earlier run
    settings = params.read(Path("params.yaml"))
    found = planned(settings)
    if warning := solver.warning(settings, len(found.files)):
        print("prepare:", warning)
    with importing():  # Ctrl-C here ends the process at once: before anything is written
        import torch  # noqa: F401
    try:
        with (
            replacing(OUT) as out,
            replacing(RESULTS / "rejected.csv") as left_out,
            replacing(RESULTS / "near_duplicates.csv") as near_duplicates,
            replacing(RESULTS / "data.json") as counts,
        ):
            out.mkdir()
            reports = prepare_pictures(settings, found, out)
            write_listing(reports.left_out, left_out)
            write_listing(reports.near_duplicates, near_duplicates)
            write_counts(reports.counts, counts)
            run.check_unchanged()
    except InBothClasses as error:
        with replacing(CONFLICTS) as conflicts:
            write_listing(error.files, conflicts)
        raise
    for line in reports.lines:
        print("prepare:", one_line(line))


if __name__ == "__main__":
    prepare()
