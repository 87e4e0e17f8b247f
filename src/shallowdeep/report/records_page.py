"""results/provenance/index.html: the stages' records for people; the report links to it.

Like the records, the page stays on the machine that made the results. The report's link names the
models that it is of; called for others, the page says so instead of showing its records.
"""

from collections.abc import Mapping

from shallowdeep.files.atomic import write_text
from shallowdeep.provenance.records import FOLDER, Hashes, Record, read_all
from shallowdeep.report import colours
from shallowdeep.report.page import template


def identity(inputs: Hashes) -> str:
    """What tells results from others: the hashes of the models that `evaluate` reads."""
    return "-".join(str(md5) for path, md5 in sorted(inputs.items()) if path.startswith("models/"))


def write(tried: str) -> None:
    """Make the page, once `evaluate` has left its record.

    Args:
        tried: how many experiments there were, in words.
    """
    records = read_all(FOLDER)
    shown = matching(records)
    page = template("records_page.html.jinja").render(
        style=colours.STYLE,
        identity=identity(records["evaluate"].inputs),
        records=sorted(shown.values(), key=lambda record: record.started),
        others=sorted(set(records) - set(shown)),
        tried=tried,
    )
    write_text(FOLDER / "index.html", page)


def training_seconds() -> float | None:
    """How long the trainings took whose models were evaluated; None where one left no record."""
    records = read_all(FOLDER)
    shown = matching(records)
    trained = [path for path in records["evaluate"].inputs if path.startswith("models/")]
    made = {path: record.seconds for record in shown.values() for path in record.outputs}
    return sum(made[path] for path in trained) if made.keys() >= set(trained) else None


def matching(records: Mapping[str, Record]) -> dict[str, Record]:
    """The records of `evaluate` and of what wrote just what it read, back to the data set.

    A stage whose outputs DVC took from its cache may have left the record of others.

    Args:
        records: by stage.
    """
    found = {"evaluate": records["evaluate"]}
    read = dict(records["evaluate"].inputs)
    for _ in records:  # once for each link that the chain can have
        for stage, record in records.items():
            known = {path: md5 for path, md5 in record.outputs.items() if path in read}
            if known and all(read[path] == md5 for path, md5 in known.items()):
                found[stage] = record
                read |= record.inputs
    return found
