"""Changes of scores from one experiment to another, and a test of each.

Experiments on the same pictures are compared picture by picture, so that easy and hard pictures
cancel; with the same seeds and folds, run by run too. Experiments on other pictures are
independent.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from shallowdeep.evaluation.intervals import (
    NOTHING,
    Design,
    Estimate,
    Scored,
    check_predictions,
    difference,
    estimate,
    minus,
    paired,
    scored,
    variance_parts,
)
from shallowdeep.evaluation.scores import SCORES, Floats
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
        found.append(
            Change(
                of, score, float(old.runs.mean()), float(new.runs.mean()), low, high, p, real=False
            )
        )
    single = min(map(len, [*before.probabilities.values(), *after.probabilities.values()])) < 2
    return common, found if single else holm(found, alpha)


def _in_order(of: ExperimentPredictions) -> ExperimentPredictions:
    """Sort the pictures by their checksums."""
    order = np.argsort(of.pictures, kind="stable")
    labels, folds, _, groups = of.design
    design = of.design._replace(
        labels=labels[order],
        folds=folds[order],
        groups=None if groups is None else groups[order],
    )
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


def _scores(of: ExperimentPredictions) -> dict[tuple[str, str], Scored]:
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


def _change(
    design: Design, old: Scored, new_design: Design, new: Scored, common: Common
) -> Estimate:
    """The mean change and its variance."""
    if common == "nothing":
        before, after = estimate(design, old), estimate(new_design, new)
        unseen = math.hypot(before.unseen, after.unseen)
        return Estimate(after.mean - before.mean, 0.0, after.parts + before.parts, unseen)
    if common == "pictures and runs":
        return estimate(design, minus(new, old))
    groups = _joined(design.groups, new_design.groups)
    sides = [
        (of._replace(groups=groups), scores) for of, scores in ((design, old), (new_design, new))
    ]
    earlier, later = (variance_parts(of, scores) for of, scores in sides)
    by_class = sides[0][0]._replace(folds=np.zeros_like(design.folds)).strata()
    squares = by_class.total((later.of_groups - earlier.of_groups) ** 2)
    total = float(squares.sum())
    mean = float(new.runs.mean() - old.runs.mean())
    if total + earlier.runs + later.runs < NOTHING:
        return estimate(*sides[0])._replace(mean=mean)
    freedoms = np.maximum(by_class.freedoms() + 1 - len(old.folds), 1)
    freedom = total**2 / float((squares**2 / freedoms).sum()) if total else 1.0
    wider = max(design.widening, new_design.widening)
    of_pictures = (wider * max(total - earlier.remainder - later.remainder, 0.0), freedom)
    of_runs = [estimate(of, scores._replace(is_difference=True)) for of, scores in sides]
    parts = (of_pictures, *(of.parts[-1] for of in of_runs))
    return Estimate(mean, 0.0, parts, math.hypot(*(of.unseen for of in of_runs)))


def _joined(
    first: NDArray[np.int64] | None, second: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    """Groups of the pictures that either experiment puts together [N]."""
    if first is None or second is None:
        return second if first is None else first
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    count = a.max() + b.max() + 2
    graph = coo_array((np.ones(len(a)), (a, a.max() + 1 + b)), shape=(count, count))
    joined: NDArray[np.int64] = connected_components(graph, directed=False)[1][a].astype(np.int64)
    return joined


def holm(found: Sequence[Change], alpha: float) -> list[Change]:
    """Mark changes in the order of their p, until one is above alpha over the number left."""
    marked = list(found)
    for place, number in enumerate(sorted(range(len(found)), key=lambda i: found[i].p_value)):
        if found[number].p_value > alpha / (len(found) - place):
            break
        marked[number] = found[number]._replace(real=True)
    return marked
