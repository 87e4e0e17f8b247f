"""results/metrics.json: every score of every model, the difference, the verdict."""

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from shallowdeep.evaluation.answers import Answers
from shallowdeep.evaluation.intervals import Difference, Interval, differences, summarise
from shallowdeep.evaluation.scores import SCORES, published
from shallowdeep.evaluation.verdict import (
    DEEP,
    SCORE,
    SHALLOW,
    VERDICTS,
    Comparison,
    Verdict,
    verdict,
)
from shallowdeep.files.atomic import write_text
from shallowdeep.prepared.folds import SPLITS, SplitName
from shallowdeep.settings.params import Params

_Score = TypeVar("_Score", Interval, Difference)

Scores = Mapping[SplitName, Mapping[str, Interval]]  # by split and name, of one model
Differences = Mapping[SplitName, Mapping[str, Difference]]


@dataclass(frozen=True)
class Metrics:
    """All of metrics.json, rounded to 6 digits."""

    models: Mapping[str, Scores]  # by model
    first_run: Mapping[str, float]  # by model: test accuracy of fold 0's first run, the article's
    difference: Differences  # deep minus shallow
    verdict: Verdict


def evaluate(answers: Mapping[SplitName, Answers], params: Params) -> Metrics:
    """Score what the models say.

    Args:
        answers: by split.
        params: confidence and equivalence margin.
    """
    models = {
        name: {split: _intervals(one, name, params.alpha) for split, one in answers.items()}
        for name in answers["test"].probabilities
    }
    apart = {split: _differences(one, params.alpha) for split, one in answers.items()}
    return Metrics(
        models=models,
        first_run={name: _first_run(answers["test"], name) for name in models},
        difference=apart,
        verdict=verdict(compared(models, apart, answers["test"].trained, params)),
    )


def compared(
    models: Mapping[str, Scores], difference: Differences, trained: int, params: Params
) -> Comparison:
    """What the verdict stands on.

    Args:
        models: scores by model.
        difference: deep minus shallow.
        trained: how many pictures a network was trained on.
        params: what was asked for.
    """
    return Comparison(
        {name: scores["test"][SCORE] for name, scores in models.items()},
        difference["test"][SCORE],
        runs=params.runs,
        folds=params.folds,
        trained=trained,
        alpha=params.alpha,
        equivalence_margin=params.equivalence_margin,
    )


def _first_run(answers: Answers, name: str) -> float:
    own = answers.folds == 0
    runs = answers.probabilities[name][:1, own]
    return round(float(published(answers.labels[own], runs)["accuracy"][0]), 6)


def _intervals(answers: Answers, name: str, alpha: float) -> dict[str, Interval]:
    """Of one model on one split: scikit-learn's scores, and our intervals around them."""
    probabilities, design = answers.probabilities[name], answers.design
    intervals = summarise(design, probabilities, alpha=alpha)
    by_fold = [published(answers.labels[own], probabilities[:, own]) for own in design.by_fold()]
    for score in intervals:
        mean = float(np.mean([fold[score] for fold in by_fold]))
        intervals[score] = intervals[score]._replace(mean=mean)
    return _rounded(intervals)


def _differences(answers: Answers, alpha: float) -> dict[str, Difference]:
    """Of the two models of the verdict on one split; to six digits those of their scores."""
    one, other = answers.probabilities[DEEP], answers.probabilities[SHALLOW]
    return _rounded(differences(answers.design, one, other, alpha=alpha))


def _rounded(scores: Mapping[str, _Score]) -> dict[str, _Score]:
    return {
        name: type(score)(*(round(value, 6) for value in score)) for name, score in scores.items()
    }


def write(metrics: Metrics, path: Path) -> None:
    """Write ``model -> split -> score -> {mean, std, low, high}``, the difference, the verdict.

    Test accuracy has ``first_run`` too.
    """
    content: dict[str, object] = {name: _plain(scores) for name, scores in metrics.models.items()}
    for name, value in metrics.first_run.items():
        content[name]["test"]["accuracy"]["first_run"] = value  # type: ignore[index]
    content |= {"difference": _plain(metrics.difference), "verdict": metrics.verdict}
    write_text(path, json.dumps(content, indent=2, sort_keys=True) + "\n")


def _plain(scores: Scores | Differences) -> dict[str, dict[str, dict[str, float]]]:
    return {
        split: {name: score._asdict() for name, score in of_split.items()}
        for split, of_split in scores.items()
    }


def parsed(content: object) -> Metrics:
    """Take apart what `write` wrote.

    Raises:
        ValueError: it is anything else.
    """
    models = {
        name: _scores(of_model, Interval)
        for name, of_model in _section(content).items()
        if name not in ("difference", "verdict")
    }
    said = _entry(content, "verdict")
    if said not in VERDICTS or not models:
        raise ValueError(f"verdict: {said!r}")
    return Metrics(
        models=models,
        first_run={
            name: _number(content, name, "test", "accuracy", "first_run") for name in models
        },
        difference=_scores(_entry(content, "difference"), Difference),
        verdict=VERDICTS[VERDICTS.index(said)],
    )


def _scores(content: object, kind: type[_Score]) -> dict[SplitName, dict[str, _Score]]:
    return {
        split: {
            name: kind(*(_number(content, split, name, key) for key in kind._fields))
            for name in SCORES
        }
        for split in SPLITS
    }


def _section(content: object) -> Mapping[str, object]:
    if not isinstance(content, Mapping):
        raise ValueError(f"{content!r:.40} is not a mapping")
    return content


def _entry(content: object, key: str) -> object:
    section = _section(content)
    if key not in section:
        raise ValueError(f"{key} is missing")
    return section[key]


def _number(content: object, *keys: str) -> float:
    value = functools.reduce(_entry, keys, content)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r:.40} is not a finite number")
    return float(value)
