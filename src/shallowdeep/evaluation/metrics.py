"""results/metrics.json: the few numbers and the verdict that `dvc metrics diff` shows."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from shallowdeep.evaluation.score_table import ScoreTable
from shallowdeep.evaluation.verdict import SCORE, VERDICTS

DIFFERENCE, VERDICT = "difference", "verdict"  # keys beside the models' names
MEANS = ("accuracy", "log_loss", "roc_auc")  # shown without an interval
BOUNDS = tuple(f"{SCORE}.{bound}" for bound in ("mean", "low", "high"))


class Metrics(NamedTuple):
    """All of metrics.json, rounded to 6 digits; scores on the tested pictures."""

    models: Mapping[str, Mapping[str, float]]  # by model and name, as balanced_accuracy.low
    difference: Mapping[str, float]  # deep minus shallow: balanced_accuracy.mean to .p_value
    verdict: str


def at_a_glance(scores: ScoreTable, verdict: str) -> Metrics:
    """Select the metrics."""
    models = {}
    for name, by_split in scores.models.items():
        test = by_split["test"]
        of_verdict = {bound: getattr(test[SCORE], bound.rpartition(".")[2]) for bound in BOUNDS}
        models[name] = of_verdict | {score: test[score].mean for score in MEANS}
    apart = scores.question[SCORE]._asdict()
    difference = {f"{SCORE}.{key}": value for key, value in apart.items() if key != "std"}
    return Metrics(models, difference, verdict)


def as_json(metrics: Metrics) -> str:
    """Text of metrics.json: sections nested where names have a dot, keys sorted."""
    content: dict[str, Any] = {VERDICT: metrics.verdict}
    for section, numbers in {**metrics.models, DIFFERENCE: metrics.difference}.items():
        content[section] = {name: value for name, value in numbers.items() if "." not in name}
        content[section][SCORE] = {
            name.partition(".")[2]: value for name, value in numbers.items() if "." in name
        }
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def parsed(content: Any) -> Metrics:
    """The metrics that a metrics.json holds.

    Raises:
        ValueError: it is not one of this version of the project.
    """

    def number(section: str, name: str) -> float:
        score, _, bound = name.partition(".")
        return float(content[section][score][bound] if bound else content[section][score])

    try:
        verdict = VERDICTS[VERDICTS.index(content[VERDICT])]
        names = [name for name in content if name not in (DIFFERENCE, VERDICT)]
        return Metrics(
            {name: {key: number(name, key) for key in (*BOUNDS, *MEANS)} for name in names},
            {key: number(DIFFERENCE, key) for key in (*BOUNDS, f"{SCORE}.p_value")},
            verdict,
        )
    except (LookupError, TypeError, ArithmeticError) as error:
        raise ValueError(f"{error!s:.80}") from None
