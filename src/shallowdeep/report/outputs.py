"""All outputs of the stage `evaluate`, computed before the first of them is written."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from shallowdeep.evaluation import csv_file, metrics
from shallowdeep.evaluation.findings import Findings, conclude
from shallowdeep.evaluation.score_table import write_scores
from shallowdeep.evaluation.split_predictions import by_split
from shallowdeep.evaluation.tables import chart_tables
from shallowdeep.evaluation.verdict import verdict
from shallowdeep.files.atomic import write_text
from shallowdeep.files.progress import Progress
from shallowdeep.files.yaml_file import parse
from shallowdeep.prepared import data_report
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.report import charts, model_card, page, picture_sheets
from shallowdeep.report.picture_sheets import Pictures
from shallowdeep.settings.params import Params
from shallowdeep.trained.history import MEASURES
from shallowdeep.trained.trained_network import TrainedNetwork

RESULTS = Path("results")
PLOTS = RESULTS / "plots"


class Outputs(NamedTuple):
    """Contents of the files in results/."""

    found: Findings
    tables: Mapping[str, pd.DataFrame]  # by chart
    pictures: Pictures
    texts: Mapping[Path, str]


def outputs(
    networks: Mapping[str, TrainedNetwork],
    prepared: Prepared,
    settings: Params,
    *,
    identity: str | None,
    progress: Progress,
) -> Outputs:
    """Compare the networks and draw the report.

    Args:
        networks: by name.
        prepared: the pictures.
        settings: of params.yaml.
        identity: of the networks, for the link to their records; None without records.
        progress: shows the current step.
    """
    progress.now("computing scores and intervals")
    predictions = {name: one.predictions for name, one in networks.items()}
    splits = by_split(predictions, prepared)
    found = conclude(splits, predictions, settings)
    histories = {name: one.history for name, one in networks.items()}
    tables = chart_tables(found.epochs, splits["test"], histories, MEASURES, prepared.classes)
    progress.now("drawing")
    shown = charts.Shown(tables, list(networks), found)
    weights = {name: one.model.first_layer(0) for name, one in networks.items()}
    pictures = picture_sheets.chosen(weights, prepared, splits["test"])
    facts = page.Facts(
        found=found,
        data=data_report.read_counts(RESULTS / "data.json"),
        counts=prepared.counts(),
        left_out=data_report.read_listing(RESULTS / "rejected.csv"),
        settings=settings,
        parameters=page.flat(parse(Path("params.yaml"))),
        identity=identity,
    )
    texts = {
        PLOTS / "learning_curves.svg": charts.learning_curves(shown),
        RESULTS / "report.html": page.render(facts, shown, pictures),
        RESULTS / "report.md": page.summarised(facts),
    }
    cards = {
        RESULTS / "model_cards" / f"{name}.md": model_card.card(facts, name) for name in networks
    }
    return Outputs(found, tables, pictures, texts | cards)


def write(done: Outputs) -> None:
    """Write all outputs, each file complete or not at all."""
    for name, table in done.tables.items():
        csv_file.write(table, PLOTS / f"{name}.csv")
    write_scores(done.found.scores, RESULTS / "scores.csv")
    glance = metrics.at_a_glance(done.found.scores, verdict(done.found.question))
    metrics.write(glance, RESULTS / "metrics.json")
    picture_sheets.write(done.pictures.first_layer, PLOTS / "first_layer.jpg")
    picture_sheets.write(done.pictures.most_wrong, PLOTS / "most_wrong.jpg")
    for path, text in done.texts.items():
        write_text(path, text)
