"""results/scores.csv: every score of every network and every pair of networks, on every split."""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import pandas as pd

from shallowdeep.evaluation.intervals import (
    Difference,
    Interval,
    difference,
    estimate,
    paired,
    summarise,
)
from shallowdeep.evaluation.max_t import MaxT
from shallowdeep.evaluation.scores import SCORES
from shallowdeep.evaluation.split_predictions import SplitPredictions
from shallowdeep.evaluation.verdict import QUESTION, Pair, pairs
from shallowdeep.prepared.folds import SplitName

DECIMALS = 6

Intervals = Mapping[str, Interval]  # by score
Differences = Mapping[str, Difference]
_T = TypeVar("_T", Interval, Difference)


class ScoreTable(NamedTuple):
    """All scores and differences, rounded to six digits."""

    models: Mapping[str, Mapping[SplitName, Intervals]]
    pairs: Mapping[Pair, Mapping[SplitName, Differences]]  # simultaneous intervals
    question: Differences  # deep minus shallow on the tested pictures, by itself
    ensembles: Mapping[str, Intervals]  # of each fold's mean prediction, tested pictures; 2 runs up


def score_table(splits: Mapping[SplitName, SplitPredictions], *, alpha: float) -> ScoreTable:
    """Score all networks and pairs of them.

    1 - alpha is the confidence of every interval, and of those of all pairs together.
    """
    names = list(splits["test"].probabilities)
    models = {
        name: {
            split: _rounded(summarise(of.design, of.probabilities[name], alpha=alpha))
            for split, of in splits.items()
        }
        for name in names
    }
    apart = {split: _differences(of, pairs(names), alpha) for split, of in splits.items()}
    test = splits["test"]
    ensembles = {
        name: _rounded(summarise(test.design, of.mean(0, keepdims=True), alpha=alpha))
        for name, of in test.probabilities.items()
        if len(of) > 1
    }
    return ScoreTable(
        models,
        {pair: {split: found[pair] for split, found in apart.items()} for pair in pairs(names)},
        question=_differences(test, [QUESTION], alpha)[QUESTION],
        ensembles=ensembles,
    )


def score_rows(scores: ScoreTable) -> pd.DataFrame:
    """Columns model (or pair), split, score, mean, std, low, high, p (of pairs alone).

    "NAME ensemble" is the mean prediction of a fold's runs, whose interval covers new pictures and
    training sets.
    """
    sections: dict[str, Mapping[SplitName, Intervals | Differences]] = {
        **scores.models,
        **{f"{name} ensemble": {"test": of} for name, of in scores.ensembles.items()},
        **{str(pair): found for pair, found in scores.pairs.items()},
    }
    rows = [
        {"model": name, "split": split, "score": score, **found[score]._asdict()}
        for name, by_split in sections.items()
        for split, found in by_split.items()
        for score in sorted(found)
    ]
    return pd.DataFrame(rows).rename(columns={"p_value": "p"})


def _differences(of: SplitPredictions, apart: list[Pair], alpha: float) -> dict[Pair, Differences]:
    """Simultaneous intervals of pairs on one split, score by score."""
    found: dict[Pair, dict[str, Difference]] = {pair: {} for pair in apart}
    for name, score in SCORES.items():
        each = [
            paired(of.design, score, *(of.probabilities[model] for model in pair)) for pair in apart
        ]
        max_t = MaxT(of.design, each)
        level = max_t.level(alpha)
        for pair, scores in zip(apart, each, strict=True):
            alone = difference(estimate(of.design, scores), score.bound, level)
            found[pair][name] = alone._replace(p_value=max_t.p_value(alone.p_value))
    return {pair: _rounded(differences) for pair, differences in found.items()}


def _rounded(scores: Mapping[str, _T]) -> dict[str, _T]:
    return {
        name: type(score)(*(round(value, DECIMALS) for value in score))
        for name, score in scores.items()
    }
