"""results/scores.csv: every score of every model and of every pair of models, on every split."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd

from shallowdeep.evaluation.answers import Answers
from shallowdeep.evaluation.csv_file import DECIMALS, write
from shallowdeep.evaluation.intervals import (
    Difference,
    Interval,
    check_answers,
    differing,
    estimate,
    paired,
    summarise,
)
from shallowdeep.evaluation.scores import SCORES, published
from shallowdeep.evaluation.simultaneous import Together
from shallowdeep.evaluation.verdict import QUESTION, SCORE, Comparison, Pair, pairs
from shallowdeep.prepared.folds import SplitName
from shallowdeep.settings.params import Params

Intervals = Mapping[str, Interval]  # by score
Differences = Mapping[str, Difference]
_Score = TypeVar("_Score", Interval, Difference)


class Scores(NamedTuple):
    """What the answers come to, rounded to six digits."""

    models: Mapping[str, Mapping[SplitName, Intervals]]
    pairs: Mapping[Pair, Mapping[SplitName, Differences]]  # their intervals hold all at once
    question: Differences  # deep minus shallow on the tested pictures, by itself


def evaluate(answers: Mapping[SplitName, Answers], *, alpha: float) -> Scores:
    """Score what the models say.

    Args:
        answers: by split.
        alpha: 1 - alpha is the confidence of every interval, and of those of all pairs together.
    """
    names = list(answers["test"].probabilities)
    together = {split: _differences(one, pairs(names), alpha) for split, one in answers.items()}
    return Scores(
        models={
            name: {split: _intervals(one, name, alpha) for split, one in answers.items()}
            for name in names
        },
        pairs={
            pair: {split: found[pair] for split, found in together.items()} for pair in pairs(names)
        },
        question=_differences(answers["test"], [QUESTION], alpha)[QUESTION],
    )


def comparison(scores: Scores, pair: Pair, trained: int, params: Params) -> Comparison:
    """What the verdict on a pair stands on.

    Args:
        scores: of all models and pairs.
        pair: that of the question stands for itself, any other among all pairs.
        trained: how many pictures a network was trained on.
        params: what was asked for.
    """
    difference = scores.question if pair == QUESTION else scores.pairs[pair]["test"]
    return Comparison(
        pair,
        {name: scores.models[name]["test"][SCORE] for name in pair},
        difference[SCORE],
        runs=params.runs,
        folds=params.folds,
        trained=trained,
        alpha=params.alpha,
        equivalence_margin=params.equivalence_margin,
    )


def write_scores(scores: Scores, path: Path) -> None:
    """Write columns model (or pair), split, score, mean, std, low, high, p (of pairs alone)."""
    rows: list[dict[str, object]] = []
    sections: dict[str, Mapping[SplitName, Intervals | Differences]] = {
        **scores.models,
        **{str(pair): found for pair, found in scores.pairs.items()},
    }
    for name, by_split in sections.items():
        for split, found in by_split.items():
            for score, one in found.items():
                numbers = one._asdict()
                p = numbers.pop("p_value", None)
                rows.append({"model": name, "split": split, "score": score, **numbers, "p": p})
    write(pd.DataFrame(rows), path)


def _intervals(answers: Answers, name: str, alpha: float) -> Intervals:
    """Of one model on one split: scikit-learn's scores, and our intervals around them."""
    probabilities, design = answers.probabilities[name], answers.design
    intervals = summarise(design, probabilities, alpha=alpha)
    by_fold = [published(answers.labels[own], probabilities[:, own]) for own in design.by_fold()]
    for score in intervals:
        mean = float(np.mean([fold[score] for fold in by_fold]))
        intervals[score] = intervals[score]._replace(mean=mean)
    return _rounded(intervals)


def _differences(answers: Answers, of: list[Pair], alpha: float) -> dict[Pair, Differences]:
    """Of pairs of models on one split, judged together; to six digits those of their scores."""
    design = answers.design
    for name in {name for pair in of for name in pair}:
        check_answers(design, answers.probabilities[name])
    found: dict[Pair, dict[str, Difference]] = {pair: {} for pair in of}
    for score in SCORES:
        each = [
            paired(design, score, *(answers.probabilities[name] for name in pair)) for pair in of
        ]
        together = Together(design, each)
        level = together.level(alpha)
        for pair, scores in zip(of, each, strict=True):
            alone = differing(estimate(design, scores), score, level)
            found[pair][score] = alone._replace(p_value=together.p_value(alone.p_value))
    return {pair: _rounded(differences) for pair, differences in found.items()}


def _rounded(scores: Mapping[str, _Score]) -> dict[str, _Score]:
    return {
        name: type(score)(*(round(value, DECIMALS) for value in score))
        for name, score in scores.items()
    }
