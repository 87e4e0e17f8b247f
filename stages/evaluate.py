"""models, results/NAME, data/prepared -> results/metrics.json, plots, report.html."""

from shallowdeep.files.arithmetic import pin_arithmetic
from shallowdeep.files.errors import end_in_silence, told_in_one_line

end_in_silence()
pin_arithmetic()

import gc
from pathlib import Path

from shallowdeep.evaluation import metrics, tables
from shallowdeep.evaluation.answers import check_belonging, of_fold_0, on_the_tested
from shallowdeep.evaluation.intervals import Difference, Interval
from shallowdeep.evaluation.verdict import DIFFERENCE, SCORE, covered
from shallowdeep.files.atomic import write_text
from shallowdeep.files.yaml_file import parse
from shallowdeep.prepared import data_report, prepared_set
from shallowdeep.provenance.records import Hashes, recorded
from shallowdeep.report import charts, page, picture_sheets, records_page
from shallowdeep.settings import params
from shallowdeep.training import devices, held_out, history, model

RESULTS, PLOTS = Path("results"), Path("results/plots")


def main(inputs: Hashes | None) -> None:
    """Compare the models of params.yaml; `inputs` are the hashes of all that is read."""
    settings = params.read(Path("params.yaml"))
    pictures = prepared_set.read(Path("data/prepared"))
    left_out = data_report.read_listing(RESULTS / "rejected.csv")
    data = data_report.read_counts(RESULTS / "data.json")
    devices.pick("cpu")
    models = {name: model.read(Path("models") / f"{name}.pt") for name in settings.models}
    check_belonging(models, pictures, settings)
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

    drawn = charts.Tables(
        learning_curves=tables.learning(histories, history.MEASURES),
        roc=tables.roc(test),
        calibration=tables.calibration(test),
        confusion=tables.confusion(test, pictures.classes),
        accuracy_by_run=tables.accuracy_by_run(test),
    )
    for name, table in drawn._asdict().items():
        tables.write(table, PLOTS / f"{name}.csv")
    scores = metrics.evaluate(answers, settings)
    metrics.write(scores, RESULTS / "metrics.json")
    shown = picture_sheets.chosen(models, pictures, test)
    picture_sheets.write(shown.first_layer, PLOTS / "first_layer.jpg")
    picture_sheets.write(shown.most_wrong, PLOTS / "most_wrong.jpg")
    facts = page.Facts(
        metrics=scores,
        compared=metrics.compared(scores.models, scores.difference, test.trained, settings),
        data=data,
        left_out=left_out,
        settings=settings,
        parameters=page.flat(parse(Path("params.yaml"))),
        identity=records_page.identity(inputs) if inputs else None,
    )
    curves = charts.learning_curves(drawn.learning_curves, list(models))
    write_text(PLOTS / "learning_curves.svg", curves)
    write_text(RESULTS / "report.html", page.render(facts, drawn, shown))
    for line in in_words(scores, settings):
        print("evaluate:", line)


def in_words(scores: metrics.Metrics, settings: params.Params) -> list[str]:
    """Balanced accuracies, their difference and the verdict, for the terminal."""
    of_models = {name: of_model["test"][SCORE] for name, of_model in scores.models.items()}
    difference = scores.difference["test"][SCORE]
    alone = " (one run of each decides nothing)" if settings.runs == 1 else ""
    chance = covered(runs=settings.runs, folds=settings.folds)
    return [
        *(f"{name}: balanced accuracy {_shown(one)}" for name, one in of_models.items()),
        f"{DIFFERENCE}: {_shown(difference)}, p = {difference.p_value:.2g}",
        f"the intervals: {100 * (1 - settings.alpha):g} % over {chance}",
        f"verdict: {scores.verdict}{alone}",
    ]


def _shown(score: Interval | Difference) -> str:
    return f"{score.mean:.3f}, interval {score.low:.3f} to {score.high:.3f}"


if __name__ == "__main__":
    with told_in_one_line("evaluate"):
        with recorded("evaluate") as read:
            main(read)
        if read:
            records_page.write()
        gc.freeze()  # at its end Python would look through all of torch, for a third of a second
