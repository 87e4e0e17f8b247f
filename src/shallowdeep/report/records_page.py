"""results/provenance/index.html: the stages' records for people; the report links to it.

Like the records, the page is not in git. The report's link names its models; if they are not those
of the records, the page says so and hides the records.
"""

from collections.abc import Mapping

from shallowdeep.files.atomic import write_text
from shallowdeep.provenance.dvc_stage import Hashes
from shallowdeep.provenance.records import FOLDER, Record, read_all
from shallowdeep.report.page import template
from shallowdeep.report.svg import STYLE


def identity(inputs: Hashes) -> str:
    """Hashes of the models that `evaluate` reads, which identify its results."""
    return "-".join(str(md5) for path, md5 in sorted(inputs.items()) if path.startswith("models/"))


def write(familywise_note: str) -> None:
    """Write the page after `evaluate` has left its record."""
    records = read_all(FOLDER)
    shown = matching(records)
    page = template("records_page.html.jinja").render(
        style=STYLE,
        identity=identity(records["evaluate"].inputs),
        records=sorted(shown.values(), key=lambda record: record.started),
        others=sorted(set(records) - set(shown)),
        familywise_note=familywise_note,
    )
    write_text(FOLDER / "index.html", page)


def training_seconds() -> float | None:
    """Time that the trainings of the evaluated models took; None if a record is missing."""
    records = read_all(FOLDER)
    shown = matching(records)
    trained = [path for path in records["evaluate"].inputs if path.startswith("models/")]
    trainings = [one for one in shown.values() if one.outputs.keys() & set(trained)]
    known = {path for one in trainings for path in one.outputs}
    return sum(one.seconds for one in trainings) if known >= set(trained) else None


def matching(records: Mapping[str, Record]) -> dict[str, Record]:
    """The records of `evaluate` and of the stages that wrote its inputs, back to the data set.

    If DVC took a stage's outputs from its cache, the stage's record may be of other outputs.
    """
    found = {"evaluate": records["evaluate"]}
    read = dict(records["evaluate"].inputs)
    for _ in records:  # the longest chain that is possible
        for stage, record in records.items():
            known = {path: md5 for path, md5 in record.outputs.items() if path in read}
            if known and all(read[path] == md5 for path, md5 in known.items()):
                found[stage] = record
                read |= record.inputs
    return found
