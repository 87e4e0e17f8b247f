"""data.dir -> data/prepared, results/rejected.csv, results/data.json: pictures become an array."""

from shallowdeep.provenance.beginning import begin

begin("prepare")

from collections.abc import Callable
from pathlib import Path

from shallowdeep.files.atomic import replacing
from shallowdeep.files.errors import one_line, told_in_one_line
from shallowdeep.files.imports import imported
from shallowdeep.pictures import solver
from shallowdeep.pictures.listing import Listed
from shallowdeep.pictures.preparation import InBothClasses, planned, prepare_pictures
from shallowdeep.prepared.data_report import write_counts, write_listing
from shallowdeep.provenance.records import recorded
from shallowdeep.settings import params

OUT, RESULTS = Path("data/prepared"), Path("results")
CONFLICTS = RESULTS / "conflicts.csv"  # no output: it exists only if the stage has failed


def prepare(settings: params.Params, found: Listed, check_unchanged: Callable[[], None]) -> None:
    """Prepare files; `check_unchanged` refuses inputs that have changed since the stage began."""
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
            check_unchanged()
    except InBothClasses as error:
        with replacing(CONFLICTS) as conflicts:
            write_listing(error.files, conflicts)
        raise
    for line in reports.lines:
        print("prepare:", one_line(line))


if __name__ == "__main__":
    imported()
    with told_in_one_line("prepare"):
        CONFLICTS.unlink(missing_ok=True)  # of an earlier run
        settings = params.read(Path("params.yaml"))
        found = planned(settings)  # before the record hashes the files: a link may lead in circles
        if warning := solver.warning(settings, len(found.files)):
            print("prepare:", warning)
        with recorded("prepare") as inputs:
            prepare(settings, found, inputs.check_unchanged if inputs else lambda: None)
