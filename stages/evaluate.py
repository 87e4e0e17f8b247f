"""models, data/prepared, results/NAME/history.csv -> results/metrics.json, plots, report.html."""

from shallowdeep.errors import end_in_silence, told_in_one_line

end_in_silence()

import gc
import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from shallowdeep import (
    curves,
    devices,
    figures,
    history,
    model,
    params,
    prepared,
    provenance_page,
    report,
)
from shallowdeep.atomic import write_text
from shallowdeep.evaluation import Answers, answer, metrics
from shallowdeep.provenance import recorded

RESULTS, PLOTS = Path("results"), Path("results/plots")


def main(inputs: Mapping[str, str | None] | None) -> None:
    """Compare the models of params.yaml; `inputs` are the hashes of all that is read."""
    settings = params.load(Path("params.yaml"))
    pictures = prepared.load(Path("data/prepared"))
    left_out, data = report.read_data(RESULTS / "rejected.csv", RESULTS / "data.json")
    devices.pick("cpu", threads=settings.threads)
    models = {name: model.load(Path("models") / f"{name}.pt") for name in settings.models}
    histories = {name: history.read(RESULTS / name / "history.csv") for name in models}
    answers = answer(models, pictures)
    test = answers["test"]

    tables = report.Tables(
        learning_curves=curves.learning(histories, history.MEASURES),
        roc=curves.roc(test),
        calibration=curves.calibration(test),
        confusion=curves.confusion(test, pictures.classes),
        accuracy_by_run=curves.accuracy_by_run(test),
    )
    for name, table in tables._asdict().items():
        curves.write(table, PLOTS / f"{name}.csv")
    content = metrics(answers, alpha=settings.alpha)
    write_text(RESULTS / "metrics.json", json.dumps(content, indent=2, sort_keys=True) + "\n")
    shown = _pictures(models, pictures, test)
    for sheet in ("first_layer", "most_wrong"):
        figures.write_sheet(list(getattr(shown, sheet).items()), PLOTS / f"{sheet}.jpg")
    facts = report.Facts(
        metrics=content,
        data=data,
        left_out=left_out,
        parameters=yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8")),
        identity=provenance_page.identity(inputs) if inputs else None,
    )
    curves_drawn = report.learning_curves(tables.learning_curves, list(models))
    write_text(PLOTS / "learning_curves.svg", curves_drawn)
    write_text(RESULTS / "report.html", report.render(facts, tables, shown))
    for name in models:
        print(f"evaluate: {name}: test accuracy {_shown(content[name]['test']['accuracy'])}")
    difference = content["difference"]["test"]["accuracy"]
    print(f"evaluate: deep minus shallow: {_shown(difference)}, p = {difference['p_value']:.2g}")
    alone = " (one run of each decides nothing)" if settings.runs == 1 else ""
    print(f"evaluate: verdict: {content['verdict']}{alone}")


def _pictures(
    models: Mapping[str, model.Model], pictures: prepared.Prepared, test: Answers
) -> report.Pictures:
    return report.Pictures(
        examples={
            name: figures.examples(pictures, label, count=8)
            for label, name in enumerate(pictures.classes)
        },
        first_layer={name: figures.first_layer(one) for name, one in models.items()},
        most_wrong={
            name: figures.most_wrong(test, probabilities, pictures, count=8)
            for name, probabilities in test.probabilities.items()
        },
    )


def _shown(interval: dict[str, float]) -> str:
    return f"{interval['mean']:.3f}, interval {interval['low']:.3f} to {interval['high']:.3f}"


if __name__ == "__main__":
    with told_in_one_line("evaluate"):
        with recorded("evaluate") as read:
            main(read)
        if read:
            provenance_page.write()
        gc.freeze()  # at its end Python would look through all of torch, for a third of a second
