"""results/metrics.json: the few numbers and the verdict that `dvc metrics diff` shows."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shallowdeep.evaluation.score_table import ScoreTable
from shallowdeep.evaluation.verdict import SCORE, VERDICTS
from shallowdeep.files.atomic import write_text

DIFFERENCE, VERDICT = "difference", "verdict"  # keys beside the models' names
MEANS = ("accuracy", "log_loss", "roc_auc")  # shown without an interval
BOUNDS = ("mean", "low", "high")
MOST = 1e3  # no score of this project is larger


class Metrics(NamedTuple):
    """All of metrics.json, rounded to 6 digits; scores on the tested pictures."""

    models: Mapping[str, Mapping[str, float]]  # by model and name, as balanced_accuracy.low
    difference: Mapping[
        str, float
    ]  # deep minus shallow: balanced_accuracy.mean, low, high, p_value
    verdict: str


_OF_MODEL = (*MEANS, *(f"{SCORE}.{bound}" for bound in BOUNDS))
_OF_PAIR = tuple(f"{SCORE}.{bound}" for bound in (*BOUNDS, "p_value"))


def at_a_glance(scores: ScoreTable, verdict: str) -> Metrics:
    """Select the metrics."""
    models = {}
    for name, by_split in scores.models.items():
        test = by_split["test"]
        of_verdict = {f"{SCORE}.{bound}": getattr(test[SCORE], bound) for bound in BOUNDS}
        models[name] = of_verdict | {score: test[score].mean for score in MEANS}
    apart = scores.question[SCORE]._asdict()
    return Metrics(models, {key: apart[key.rpartition(".")[2]] for key in _OF_PAIR}, verdict)


def write(metrics: Metrics, path: Path) -> None:
    """Write metrics.json: sections nested where names have a dot, keys sorted."""
    content: dict[str, object] = {name: _nested(found) for name, found in metrics.models.items()}
    content |= {DIFFERENCE: _nested(metrics.difference), VERDICT: metrics.verdict}
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def _nested(numbers: Mapping[str, float]) -> dict[str, object]:
    section = {name.partition(".")[2]: number for name, number in numbers.items() if "." in name}
    return {name: number for name, number in numbers.items() if "." not in name} | {SCORE: section}


def parsed(content: object) -> Metrics:
    """Check the content of a metrics.json.

    Raises:
        ValueError: it is not as `write` wrote it.
    """
    if not isinstance(content, Mapping):
        raise ValueError(f"{content!r:.40} is not a mapping")
    names = [name for name in content if name not in (DIFFERENCE, VERDICT)]
    verdict = content.get(VERDICT)
    if verdict not in VERDICTS or not names:
        raise ValueError(f"verdict: {verdict!r:.40}")
    return Metrics(
        {name: {key: _number(content, name, key) for key in _OF_MODEL} for name in names},
        {key: _number(content, DIFFERENCE, key) for key in _OF_PAIR},
        str(verdict),
    )


def _number(content: object, section: str, name: str) -> float:
    for key in (section, *name.split(".")):
        if not isinstance(content, Mapping) or key not in content:
            raise ValueError(f"{key:.40} is missing")
        content = content[key]
    if (
        isinstance(content, bool)
        or not isinstance(content, int | float)
        or not abs(content) <= MOST
    ):
        raise ValueError(f"{name}: {content!r:.40} is not a number that it can be")
    return float(content)
