"""models, data/prepared -> results/{metrics.json,scores.csv,plots,report.html,model_cards}."""

from shallowdeep.files.arithmetic import pin_arithmetic
from shallowdeep.provenance.beginning import begin

begin("evaluate")
pin_arithmetic()

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from threadpoolctl import threadpool_limits

from shallowdeep.evaluation import csv_file, metrics
from shallowdeep.evaluation.findings import conclude, networks
from shallowdeep.evaluation.score_table import write_scores
from shallowdeep.evaluation.split_predictions import by_split
from shallowdeep.evaluation.tables import chart_tables
from shallowdeep.evaluation.verdict import familywise_note, verdict
from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import told_in_one_line
from shallowdeep.files.imports import imported
from shallowdeep.files.progress import Progress
from shallowdeep.files.yaml_file import parse
from shallowdeep.prepared import data_report, prepared_set
from shallowdeep.provenance.records import Inputs, recorded
from shallowdeep.provenance.tried import experiments
from shallowdeep.report import (
    charts,
    model_card,
    page,
    picture_sheets,
    records_page,
    terminal_lines,
)
from shallowdeep.settings import params
from shallowdeep.trained.predictions import Predictions
from shallowdeep.training import history

PREPARED, RESULTS, PLOTS = Path("data/prepared"), Path("results"), Path("results/plots")


def evaluate(inputs: Inputs | None, progress: Progress) -> page.Facts:
    """Compare the networks of params.yaml."""
    settings = params.read(Path("params.yaml"))
    prepared = prepared_set.read(PREPARED)
    threadpool_limits(1)  # on any number of cores the same bits
    predictions = {name: read_predictions(name) for name in networks(settings)}
    weights = {name: read_first_layer(name) for name in networks(settings)}
    histories = {
        name: history.read(
            RESULTS / name / "history.csv",
            folds=settings.folds,
            runs=settings.runs,
            epochs=network.epochs,
        )
        for name, network in networks(settings).items()
    }

    progress.now("computing scores and intervals")
    splits = by_split(predictions, prepared)
    found = conclude(splits, predictions, settings)
    tables = chart_tables(
        found.epochs, splits["test"], histories, history.MEASURES, prepared.classes
    )

    progress.now("drawing")
    shown = charts.Shown(tables, list(predictions), found)
    pictures = picture_sheets.chosen(weights, prepared, splits["test"])
    facts = page.Facts(
        found=found,
        data=data_report.read_counts(RESULTS / "data.json"),
        counts=prepared.counts(),
        left_out=data_report.read_listing(RESULTS / "rejected.csv"),
        settings=settings,
        parameters=page.flat(parse(Path("params.yaml"))),
        identity=records_page.identity(inputs.hashes) if inputs else None,
    )
    if inputs:
        inputs.check_unchanged()
    for name, table in tables.items():
        csv_file.write(table, PLOTS / f"{name}.csv")
    write_scores(found.scores, RESULTS / "scores.csv")
    metrics.write(
        metrics.at_a_glance(found.scores, verdict(found.question)), RESULTS / "metrics.json"
    )
    picture_sheets.write(pictures.first_layer, PLOTS / "first_layer.jpg")
    picture_sheets.write(pictures.most_wrong, PLOTS / "most_wrong.jpg")
    write_text(PLOTS / "learning_curves.svg", charts.learning_curves(shown))
    write_text(RESULTS / "report.html", page.render(facts, shown, pictures))
    write_text(RESULTS / "report.md", page.summarised(facts))
    for name in predictions:
        write_text(RESULTS / "model_cards" / f"{name}.md", model_card.card(facts, name))
    return facts


# until trained/ is written
def read_predictions(name: str) -> Predictions:
    """The predictions of a network, from the files that training writes today."""
    import json

    with safe_open(RESULTS / name / "fold_0.safetensors", "numpy") as file:
        about = json.loads(file.metadata()["shallowdeep"])
        train, validation = (file.get_tensor(key) for key in ("train", "validation"))
    test = np.load(RESULTS / name / "answers.npy")
    return Predictions(about["made"]["asked"], test, train, validation)


# until trained/ is written: model.read(...).layers[0].weight[0]
def read_first_layer(name: str) -> NDArray[np.float32]:
    """The first run's first layer [h, 3, S, S]."""
    with safe_open(RESULTS / name / "fold_0.safetensors", "numpy") as file:
        weights: NDArray[np.float32] = file.get_tensor("first_layer")
    return weights


if __name__ == "__main__":
    imported()
    with told_in_one_line("evaluate"):
        with recorded("evaluate") as read, Progress("reading what was trained") as doing:
            facts = evaluate(read, doing)
        seconds, before = None, []
        if read:
            count = experiments(read.hashes, read.hashes[str(PREPARED)])
            before = [familywise_note(count, alpha=facts.settings.alpha)]
            records_page.write(before[0])
            seconds = records_page.training_seconds()
        for line in before + terminal_lines.lines(facts.found, facts.settings, seconds=seconds):
            print("evaluate:", line)
