"""models, data/prepared -> results/: compare the networks on the tested pictures."""

from pathlib import Path

from shallowdeep.files.imports import imported
from shallowdeep.provenance.records import Run
from shallowdeep.provenance.stage import stage

PREPARED, RESULTS, PLOTS = Path("data/prepared"), Path("results"), Path("results/plots")


@stage("evaluate")
def evaluate(run: Run) -> None:
    """Compare the networks of params.yaml."""
    from threadpoolctl import threadpool_limits

    from shallowdeep.evaluation import csv_file, metrics, tables
    from shallowdeep.evaluation.answers import Answers, on_the_tested
    from shallowdeep.evaluation.findings import OnTheWay, conclude
    from shallowdeep.evaluation.score_table import write_scores
    from shallowdeep.evaluation.verdict import verdict
    from shallowdeep.files.atomic import write_text
    from shallowdeep.files.yaml_file import parse
    from shallowdeep.prepared import data_report, prepared_set
    from shallowdeep.report import charts, model_card, page, picture_sheets, words
    from shallowdeep.settings import params
    from shallowdeep.trained import history, model, predictions
    from shallowdeep.trained.former import remove_former_networks
    import numpy as np
    from shallowdeep.training.fold_0 import Fold0

    imported()
    settings = params.read(Path("params.yaml"))
    for line in remove_former_networks(settings.networks):
        print("evaluate:", line)
    pictures = prepared_set.read(PREPARED)
    left_out = data_report.read_listing(RESULTS / "rejected.csv")
    data = data_report.read_counts(RESULTS / "data.json")
    threadpool_limits(1)  # on any number of cores the same bits
    tested = len(pictures.tested())
    said = {n: predictions.read(Path("models", n, predictions.FILE), runs=settings.runs, tested=tested) for n in settings.networks}
    first = {n: model.read(Path("models", n)).first_layer(0) for n in settings.networks}
    histories = {
        n: history.read(Path("models", n, history.FILE), folds=settings.folds, runs=settings.runs, epochs=w.epochs)
        for n, w in settings.networks.items()
    }
    test = on_the_tested(pictures, {n: one.test[-1] for n, one in said.items()})
    answers = {"test": test}
    for split in ("train", "validation"):
        rows = pictures.rows(split)
        answers[split] = Answers(pictures.labels[rows], rows, np.zeros(len(rows), np.int64), 0 if split == "train" else len(pictures.rows("train")), {n: getattr(one, split).astype(np.float64) for n, one in said.items()})
    on_the_way = {n: OnTheWay(one.epochs, one.test) for n, one in said.items()}
    found = conclude(answers, on_the_way, settings)
    drawn = charts.Tables(
        learning_curves=tables.learning(histories, history.MEASURES),
        roc=tables.roc(test),
        calibration=tables.calibration(test),
        confusion=tables.confusion(test, pictures.classes),
        accuracy_by_run=tables.accuracy_by_run(test),
        difference_by_epoch=tables.difference_by_epoch(found.epochs),
    )
    run.check_unchanged()
    for name, table in drawn._asdict().items():
        csv_file.write(table, PLOTS / f"{name}.csv")
    write_scores(found.scores, RESULTS / "scores.csv")
    said_of_question = verdict(found.compared[0])
    metrics.write(metrics.at_a_glance(found.scores, said_of_question), RESULTS / "metrics.json")
    models = {n: Fold0(None, said[n].train, said[n].validation, first[n]) for n in said}
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
        identity=None,
    )
    curves = charts.learning_curves(drawn.learning_curves, list(models))
    write_text(PLOTS / "learning_curves.svg", curves)
    write_text(RESULTS / "report.html", page.render(facts, drawn, shown))
    write_text(RESULTS / "report.md", page.summarised(facts))
    for name in models:
        write_text(RESULTS / "model_cards" / f"{name}.md", model_card.card(facts, name))
    run.finish()
    for line in words.lines(found, settings, seconds=None):
        print("evaluate:", line)


if __name__ == "__main__":
    evaluate()
