"""Changes of scores from one experiment to another, and a test of each.

Experiments on the same pictures are compared picture by picture, so that easy and hard pictures
cancel; with the same seeds and folds, run by run too. Experiments on other pictures are
independent.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.evaluation.intervals import (
    NOTHING,
    Design,
    Estimate,
    check_predictions,
    difference,
    estimate,
    paired,
    scored,
    variance_parts,
)
from shallowdeep.evaluation.scores import SCORES, Floats, RunScores
from shallowdeep.evaluation.verdict import pairs

Common = Literal["pictures and runs", "pictures", "nothing"]


class ExperimentPredictions(NamedTuple):
    """Predictions of an experiment's networks for the tested pictures."""

    pictures: NDArray[np.str_]  # checksum of each picture [N]
    design: Design
    seed: int
    probabilities: Mapping[str, Floats]  # by model, of class 1 [R, N]


class Change(NamedTuple):
    """A score in two experiments, and its change."""

    of: str  # a model, or `deep minus shallow`
    score: str
    before: float
    after: float
    low: float  # of the change
    high: float
    p_value: float
    real: bool  # beyond chance, all changes of the table considered


def changes(
    before: ExperimentPredictions, after: ExperimentPredictions, *, alpha: float
) -> tuple[Common, list[Change]]:
    """Changes of all scores of the models that both experiments have, and of pairs of models.

    Holm's procedure (1979) marks the real changes: at most with probability alpha any mark of the
    table is wrong. With one run of a network nothing is marked, since another seed is unknown.
    1 - alpha is the confidence of each interval.

    Raises:
        InputError: predictions that allow no interval.
    """
    before, after = _in_order(before), _in_order(after)
    common = _common(before, after)
    earlier, later = _scores(before), _scores(after)
    found = []
    for of, score in [place for place in earlier if place in later]:
        old, new = earlier[of, score], later[of, score]
        change = _change(before.design, old, after.design, new, common)
        bound = SCORES[score].bound * (1 if of in after.probabilities else 2)
        _, _, low, high, p = difference(change, bound, alpha)
        found.append(Change(of, score, _mean(old), _mean(new), low, high, p, real=False))
    single = min(map(len, [*before.probabilities.values(), *after.probabilities.values()])) < 2
    return common, found if single else holm(found, alpha)


def _in_order(of: ExperimentPredictions) -> ExperimentPredictions:
    """Sort the pictures by their checksums."""
    order = np.argsort(of.pictures, kind="stable")
    design = of.design._replace(labels=of.design.labels[order], folds=of.design.folds[order])
    probabilities = {name: own[:, order] for name, own in of.probabilities.items()}
    return ExperimentPredictions(of.pictures[order], design, of.seed, probabilities)


def _common(before: ExperimentPredictions, after: ExperimentPredictions) -> Common:
    same = np.array_equal(before.pictures, after.pictures) and np.array_equal(
        before.design.labels, after.design.labels
    )
    if not same or len(np.unique(after.pictures)) < len(after.pictures):
        return "nothing"
    runs = {len(own) for side in (before, after) for own in side.probabilities.values()}
    partners = before.seed == after.seed and len(runs) == 1
    if partners and np.array_equal(before.design.folds, after.design.folds):
        return "pictures and runs"
    return "pictures"


def _scores(of: ExperimentPredictions) -> dict[tuple[str, str], list[RunScores]]:
    """Scores of every fold, by model or pair and by score."""
    for probabilities in of.probabilities.values():
        check_predictions(of.design, probabilities)
    by_name = sorted(SCORES.items())
    alone = {
        (model, name): scored(of.design, score, probabilities)
        for model, probabilities in of.probabilities.items()
        for name, score in by_name
    }
    apart = {
        (str(pair), name): paired(of.design, score, *(of.probabilities[model] for model in pair))
        for pair in pairs(list(of.probabilities))
        for name, score in by_name
    }
    return alone | apart


def _mean(scores: Sequence[RunScores]) -> float:
    return float(np.mean([score.runs.mean() for score in scores]))


def _change(
    design: Design, old: list[RunScores], new_design: Design, new: list[RunScores], common: Common
) -> Estimate:
    """The mean change and its variance."""
    if common == "nothing":
        mean, _, parts = estimate(design, old)
        new_mean, _, new_parts = estimate(new_design, new)
        return Estimate(new_mean - mean, 0.0, new_parts + parts)
    if common == "pictures and runs":
        pairs = zip(old, new, strict=True)
        return estimate(design, [RunScores(b.runs - a.runs, b.parts - a.parts) for a, b in pairs])
    earlier, later = variance_parts(design, old), variance_parts(new_design, new)
    pictures = later.of_pictures - earlier.of_pictures
    wider = max(design.widening, new_design.widening)
    runs = [
        (wider * parts.runs, float(len(scores) * max(len(scores[0].runs) - 1, 1)))
        for parts, scores in ((earlier, old), (later, new))
    ]
    variances = [float((pictures[design.labels == label] ** 2).sum()) for label in (0, 1)]
    freedoms = np.bincount(design.labels) - len(old)
    total = sum(variances)
    mean = _mean(new) - _mean(old)
    if total + runs[0][0] + runs[1][0] < NOTHING:
        return estimate(design, old)._replace(mean=mean)
    uncertainty = sum(v**2 / f for v, f in zip(variances, freedoms, strict=True))
    freedom = float(total**2 / uncertainty) if total else 1.0
    of_pictures = (wider * max(total - (earlier.remainder + later.remainder), 0.0), freedom)
    return Estimate(mean, 0.0, (of_pictures, *runs))


def holm(found: Sequence[Change], alpha: float) -> list[Change]:
    """Mark changes in the order of their p, until one is above alpha over the number left."""
    marked = list(found)
    for place, number in enumerate(sorted(range(len(found)), key=lambda i: found[i].p_value)):
        if found[number].p_value > alpha / (len(found) - place):
            break
        marked[number] = found[number]._replace(real=True)
    return marked
