"""All outputs of the stage `evaluate`, computed before the first of them is written."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from shallowdeep.evaluation import metrics, tables
from shallowdeep.evaluation.findings import Findings, conclude
from shallowdeep.evaluation.score_table import score_rows
from shallowdeep.evaluation.sentences import cautions
from shallowdeep.evaluation.split_predictions import by_split
from shallowdeep.evaluation.verdict import SCORE, verdict
from shallowdeep.files.atomic import replacing_all
from shallowdeep.files.progress import Progress
from shallowdeep.files.yaml_file import parse
from shallowdeep.prepared import data_report
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.report import charts, page, picture_sheets
from shallowdeep.settings.params import Params
from shallowdeep.trained.trained_network import TrainedNetwork

RESULTS = Path("results")
MUCH = 0.75  # balanced accuracy of networks that have learned much


class Outputs(NamedTuple):
    """Contents of the files in results/."""

    found: Findings
    cautions: Sequence[str]  # for a reader of the verdict
    files: Mapping[Path, bytes]


def outputs(
    networks: Mapping[str, TrainedNetwork],
    prepared: Prepared,
    settings: Params,
    *,
    identity: str | None,
    progress: Progress,
) -> Outputs:
    """Compare the networks and draw the report.

    The networks' identity is for the link to their records; None without records.
    """
    progress.now("computing scores and intervals")
    predictions = {name: one.predictions for name, one in networks.items()}
    splits = by_split(predictions, prepared)
    found = conclude(splits, predictions, settings)
    histories = {name: one.history for name, one in networks.items()}
    charted = tables.chart_tables(found.epochs, splits["test"], histories, prepared.classes)
    progress.now("drawing")
    shown = charts.Shown(charted, list(networks), found)
    weights = {name: one.model.first_layer(0) for name, one in networks.items()}
    pictures = picture_sheets.chosen(weights, prepared, splits["test"])
    data = data_report.read_counts(RESULTS / "data.json")
    facts = page.Facts(
        found=found,
        data=data,
        counts=prepared.counts(),
        left_out=data_report.read_listing(RESULTS / "rejected.csv"),
        cautions=cautions(
            data,
            {name: one.tuned for name, one in predictions.items()},
            {
                name: splits["test"].dead(name)
                for name, of in found.scores.models.items()
                if of["test"][SCORE].mean >= MUCH
            },
        ),
        settings=settings,
        parameters=page.flat(parse(Path("params.yaml"))),
        identity=identity,
    )
    texts = {
        "metrics.json": metrics.as_json(found.scores, verdict(found.question)),
        "plots/learning_curves.svg": charts.learning_curves(shown),
        "report.html": page.render(facts, shown, pictures),
        "report.md": page.summarised(facts),
        **{f"model_cards/{name}.md": page.card(facts, name) for name in networks},
    }
    frames = {f"plots/{name}.csv": table for name, table in charted.items()}
    frames["scores.csv"] = score_rows(found.scores)
    files = {
        "plots/first_layer.jpg": picture_sheets.sheet(pictures.first_layer),
        **{path: text.encode() for path, text in texts.items()},
        **{path: tables.as_csv(table) for path, table in frames.items()},
    }
    return Outputs(
        found, facts.cautions, {RESULTS / path: content for path, content in files.items()}
    )


def write(done: Outputs) -> None:
    """Write all outputs, or none."""
    with replacing_all(done.files) as files:
        for new, content in zip(files, done.files.values(), strict=True):
            new.write_bytes(content)
