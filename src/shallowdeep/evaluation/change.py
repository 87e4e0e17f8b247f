"""How scores changed from one experiment to another, and which changes are beyond chance.

On the same pictures the experiments are compared picture by picture, which leaves out what they
have in common: whether a picture is an easy one. Where runs share their seeds and folds, run by run
too. Experiments on other pictures have nothing in common, and each brings its own chance.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.evaluation.intervals import (
    BOUNDS,
    NOTHING,
    Design,
    Estimate,
    check_answers,
    contributions,
    estimate,
    paired,
    scored,
    variance_parts,
)
from shallowdeep.evaluation.scores import SCORES, Floats, Score
from shallowdeep.evaluation.verdict import pairs

Common = Literal["pictures and runs", "pictures", "nothing"]


class Said(NamedTuple):
    """What an experiment's networks say about the pictures that it tested."""

    pictures: NDArray[np.str_]  # what tells each picture from all others [N]
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


def changes(before: Said, after: Said, *, alpha: float) -> tuple[Common, list[Change]]:
    """The changes of all scores of the models that both experiments have, and of their pairs.

    Real are those that Holm's procedure (1979) finds: with a chance of at most alpha one of them is
    not, however many there are. With one run of a network nothing is real: nobody knows what
    another seed would do.

    Args:
        before: one experiment.
        after: the other, whose change it is.
        alpha: 1 - alpha is the confidence of each interval.

    Returns:
        What they have in common, and the changes.

    Raises:
        InputError: answers that no interval can be made from.
    """
    before, after = _in_order(before), _in_order(after)
    common = _common(before, after)
    earlier, later = _scores(before), _scores(after)
    found = []
    for of, score in [place for place in earlier if place in later]:
        old, new = earlier[of, score], later[of, score]
        change = _change(before.design, old, after.design, new, common)
        margin = change.margin(alpha)
        bound = BOUNDS[score] * (1 if of in after.probabilities else 2)
        low, high = max(change.mean - margin, -bound), min(change.mean + margin, bound)
        p = change.p_value()
        found.append(Change(of, score, _mean(old), _mean(new), low, high, p, real=False))
    single = min(len(said) for side in (before, after) for said in side.probabilities.values()) < 2
    return common, found if single else _holm(found, alpha)


def _in_order(said: Said) -> Said:
    """Pictures in the order of what tells them apart."""
    order = np.argsort(said.pictures, kind="stable")
    labels, folds, trained = said.design
    probabilities = {name: of[:, order] for name, of in said.probabilities.items()}
    return Said(
        said.pictures[order], Design(labels[order], folds[order], trained), said.seed, probabilities
    )


def _common(before: Said, after: Said) -> Common:
    same = np.array_equal(before.pictures, after.pictures) and np.array_equal(
        before.design.labels, after.design.labels
    )
    if not same or len(np.unique(after.pictures)) < len(after.pictures):
        return "nothing"
    runs = {len(said) for side in (before, after) for said in side.probabilities.values()}
    folds = np.array_equal(before.design.folds, after.design.folds)
    return (
        "pictures and runs"
        if folds and before.seed == after.seed and len(runs) == 1
        else "pictures"
    )


def _scores(said: Said) -> dict[tuple[str, str], list[Score]]:
    """By model or pair, and score: of every fold."""
    found = {}
    for name, probabilities in said.probabilities.items():
        check_answers(said.design, probabilities)
        for score, function in SCORES.items():
            found[name, score] = scored(said.design, function, probabilities)
    for pair in pairs(list(said.probabilities)):
        first, second = (said.probabilities[name] for name in pair)
        for score in SCORES:
            found[str(pair), score] = paired(said.design, score, first, second)
    return found


def _mean(scores: Sequence[Score]) -> float:
    return float(np.mean([score.runs.mean() for score in scores]))


def _change(
    design: Design, old: list[Score], new_design: Design, new: list[Score], common: Common
) -> Estimate:
    """The mean change, and the parts of its variance."""
    if common == "nothing":
        return estimate(new_design, new).minus(estimate(design, old))
    if common == "pictures and runs":
        pairs = zip(old, new, strict=True)
        return estimate(design, [Score(b.runs - a.runs, b.parts - a.parts) for a, b in pairs])
    pictures = np.zeros(len(design.labels))
    remainder, runs = 0.0, []
    wider = max(design.widening, new_design.widening)
    for sign, of, scores in ((-1, design, old), (1, new_design, new)):
        pictures += sign * contributions(of, scores)[0]
        parts = variance_parts(of, scores)
        remainder += parts.remainder
        freedom = float(len(scores) * max(len(scores[0].runs) - 1, 1))
        runs.append((wider * parts.runs, freedom))
    variances = [(pictures[design.labels == label] ** 2).sum() for label in (0, 1)]
    strata = len(old)
    freedoms = [int((design.labels == label).sum()) - strata for label in (0, 1)]
    total = float(sum(variances))
    if total + runs[0][0] + runs[1][0] < NOTHING:
        return estimate(design, old)._replace(mean=_mean(new) - _mean(old))
    freedom = (
        total**2 / sum(v**2 / f for v, f in zip(variances, freedoms, strict=True)) if total else 1.0
    )
    of_pictures = (wider * max(total - remainder, 0.0), float(freedom))
    return Estimate(_mean(new) - _mean(old), 0.0, (of_pictures, *runs))


def _holm(found: Sequence[Change], alpha: float) -> list[Change]:
    """Mark changes from the smallest p on, until one is above alpha over those that are left."""
    marked = list(found)
    for place, number in enumerate(sorted(range(len(found)), key=lambda i: found[i].p_value)):
        if found[number].p_value > alpha / (len(found) - place):
            break
        marked[number] = found[number]._replace(real=True)
    return marked
