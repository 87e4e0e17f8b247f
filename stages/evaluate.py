"""models, data/prepared, results/NAME/history.csv -> results/metrics.json, results/plots."""

import json
from pathlib import Path

from shallowdeep import curves, devices, history, model, params, prepared
from shallowdeep.atomic import write_text
from shallowdeep.errors import told_in_one_line
from shallowdeep.evaluation import answer, metrics

RESULTS, PLOTS = Path("results"), Path("results/plots")


def main() -> None:
    """Compare the models of params.yaml."""
    settings = params.load(Path("params.yaml"))
    pictures = prepared.load(Path("data/prepared"))
    devices.pick("cpu", threads=settings.threads)
    models = {name: model.load(Path("models") / f"{name}.pt") for name in settings.models}
    histories = {name: history.read(RESULTS / name / "history.csv") for name in models}
    answers = answer(models, pictures)
    test = answers["test"]

    curves.write(curves.learning(histories, history.MEASURES), PLOTS / "learning_curves.csv")
    curves.write(curves.roc(test), PLOTS / "roc.csv")
    curves.write(curves.confusion(test, pictures.classes), PLOTS / "confusion.csv")
    curves.write(curves.calibration(test), PLOTS / "calibration.csv")
    curves.write(curves.accuracy_by_run(test), PLOTS / "accuracy_by_run.csv")
    content = metrics(answers, alpha=settings.alpha)
    write_text(RESULTS / "metrics.json", json.dumps(content, indent=2, sort_keys=True) + "\n")
    for name in models:
        print(f"evaluate: {name}: test accuracy {_shown(content[name]['test']['accuracy'])}")
    difference = content["difference"]["test"]["accuracy"]
    print(f"evaluate: deep minus shallow: {_shown(difference)}, p = {difference['p_value']:.2g}")
    print(f"evaluate: verdict: {content['verdict']}")


def _shown(interval: dict[str, float]) -> str:
    return f"{interval['mean']:.3f}, interval {interval['low']:.3f} to {interval['high']:.3f}"


if __name__ == "__main__":
    with told_in_one_line("evaluate"):
        main()
