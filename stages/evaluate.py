"""models, results/NAME, data/prepared -> results/{metrics.json,plots,report.html,model_cards}."""

from shallowdeep.files.arithmetic import pin_arithmetic
from shallowdeep.provenance.beginning import begin

begin("evaluate")
pin_arithmetic()

from pathlib import Path

from threadpoolctl import threadpool_limits

from shallowdeep.evaluation import csv_file, metrics, tables
from shallowdeep.evaluation.answers import check_belonging, of_fold_0, on_the_tested
from shallowdeep.evaluation.findings import OnTheWay, conclude
from shallowdeep.evaluation.score_table import write_scores
from shallowdeep.evaluation.verdict import tried, verdict
from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import told_in_one_line
from shallowdeep.files.imports import imported
from shallowdeep.files.progress import Progress
from shallowdeep.files.yaml_file import parse
from shallowdeep.prepared import data_report, prepared_set
from shallowdeep.provenance.records import Inputs, recorded
from shallowdeep.provenance.tried import experiments
from shallowdeep.report import charts, model_card, page, picture_sheets, records_page, words
from shallowdeep.settings import params
from shallowdeep.training import fold_0, held_out, history

PREPARED, RESULTS, PLOTS = Path("data/prepared"), Path("results"), Path("results/plots")


def main(inputs: Inputs | None, doing: Progress) -> page.Facts:
    """Compare the models of params.yaml; `inputs` is all that is read."""
    settings = params.read(Path("params.yaml"))
    pictures = prepared_set.read(PREPARED)
    left_out = data_report.read_listing(RESULTS / "rejected.csv")
    data = data_report.read_counts(RESULTS / "data.json")
    threadpool_limits(1)  # on any number of cores the same bits
    models = {
        name: fold_0.read(RESULTS / name / "fold_0.safetensors", Path("models") / f"{name}.pt")
        for name in settings.models
    }
    check_belonging({name: one.made for name, one in models.items()}, pictures, settings)
    histories = {
        name: history.read(
            RESULTS / name / "history.csv",
            folds=settings.folds,
            runs=settings.runs,
            epochs=network.epochs,
        )
        for name, network in settings.models.items()
    }
    tested = len(pictures.tested())
    said = {
        name: held_out.read(
            RESULTS / name / "answers.npy", one.made, runs=settings.runs, tested=tested
        )
        for name, one in models.items()
    }
    test = on_the_tested(pictures, {name: answers[-1] for name, answers in said.items()})
    answers = of_fold_0(models, pictures) | {"test": test}

    doing.now("computing scores and intervals")
    on_the_way = {name: OnTheWay(one.made.asked, said[name]) for name, one in models.items()}
    found = conclude(answers, on_the_way, settings)

    doing.now("drawing")
    drawn = charts.Tables(
        learning_curves=tables.learning(histories, history.MEASURES),
        roc=tables.roc(test),
        calibration=tables.calibration(test),
        confusion=tables.confusion(test, pictures.classes),
        accuracy_by_run=tables.accuracy_by_run(test),
        difference_by_epoch=tables.difference_by_epoch(found.epochs),
    )
    if inputs:
        inputs.check_unchanged()
    for name, table in drawn._asdict().items():
        csv_file.write(table, PLOTS / f"{name}.csv")
    write_scores(found.scores, RESULTS / "scores.csv")
    said_of_question = verdict(found.compared[0])
    metrics.write(metrics.at_a_glance(found.scores, said_of_question), RESULTS / "metrics.json")
    shown = picture_sheets.chosen(models, pictures, test)
    picture_sheets.write(shown.first_layer, PLOTS / "first_layer.jpg")
    picture_sheets.write(shown.most_wrong, PLOTS / "most_wrong.jpg")
    facts = page.Facts(
        found=found,
        data=data,
        counts=pictures.counts(),
        left_out=left_out,
        settings=settings,
        parameters=page.flat(parse(Path("params.yaml"))),
        identity=records_page.identity(inputs.hashes) if inputs else None,
    )
    curves = charts.learning_curves(drawn.learning_curves, list(models))
    write_text(PLOTS / "learning_curves.svg", curves)
    write_text(RESULTS / "report.html", page.render(facts, drawn, shown))
    write_text(RESULTS / "report.md", page.summarised(facts))
    for name in models:
        write_text(RESULTS / "model_cards" / f"{name}.md", model_card.card(facts, name))
    return facts


if __name__ == "__main__":
    imported()
    with told_in_one_line("evaluate"):
        with recorded("evaluate") as read, Progress("reading what was trained") as doing:
            facts = main(read, doing)
        seconds, before = None, []
        if read:
            count = experiments(read.hashes, read.hashes[str(PREPARED)])
            before = [tried(count, alpha=facts.settings.alpha)]
            records_page.write(before[0])
            seconds = records_page.training_seconds()
        for line in before + words.lines(facts.found, facts.settings, seconds=seconds):
            print("evaluate:", line)
