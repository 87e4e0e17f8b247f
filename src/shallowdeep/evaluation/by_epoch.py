"""The difference between two networks after each epoch: the source article's question."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np

from shallowdeep.evaluation.intervals import Design, difference, estimate, interval, paired, scored
from shallowdeep.evaluation.max_t import MaxT
from shallowdeep.evaluation.scores import SCORES
from shallowdeep.evaluation.verdict import QUESTION, SCORE, leader
from shallowdeep.trained.predictions import Predictions


class EpochDifference(NamedTuple):
    """The difference after one epoch; its interval holds for all epochs at once."""

    epoch: int
    mean: float
    low: float
    high: float
    ahead: str  # name of the network, or nothing


def by_epoch(
    design: Design, deep: Predictions, shallow: Predictions, *, keep: str, alpha: float
) -> list[EpochDifference]:
    """Deep minus shallow in balanced accuracy after each epoch, with a simultaneous band.

    The epochs are those after which both have predictions. With `keep: best` the last predictions
    are not of the last epoch and are left out. A network is ahead if the band, of confidence
    1 - alpha, leaves out 0 and the network does better than guessing. With one run the band covers
    new pictures only, and no network is ahead.
    """
    score, both = SCORES[SCORE], (deep, shallow)
    epochs = [
        own.epochs[:-1] if keep == "best" and len(own.epochs) > 1 else own.epochs for own in both
    ]
    common = sorted(set(epochs[0]) & set(epochs[1]))
    tests = [
        [own.test[own.epochs.index(epoch)].astype(np.float64) for own in both] for epoch in common
    ]
    differences = [paired(design, score, *pair) for pair in tests]
    level = MaxT(design, differences).level(alpha)
    found = []
    for epoch, pair, scores in zip(common, tests, differences, strict=True):
        apart = difference(estimate(design, scores), score.bound, level)
        alone = {
            name: interval(estimate(design, scored(design, score, own)), score.bound, alpha)
            for name, own in zip(QUESTION, pair, strict=True)
        }
        ahead = leader(QUESTION, alone, apart) if len(pair[0]) > 1 else ""
        found.append(EpochDifference(epoch, apart.mean, apart.low, apart.high, ahead))
    return found


def ahead_sentence(found: Sequence[EpochDifference], *, alpha: float, runs: int) -> str:
    """The epochs at which a network is ahead, as a sentence."""
    if runs < 2:
        return "One run of each network cannot tell from which epoch on one is ahead."
    confidence = f"with {100 * (1 - alpha):g} % confidence for all epochs together"
    spans: dict[str, list[str]] = {}
    for name, group in groupby(found, key=lambda one: one.ahead):
        epochs = [one.epoch for one in group]
        span = f"from epoch {epochs[0]} to {epochs[-1]}"
        spans.setdefault(name, []).append(span if len(epochs) > 1 else f"at epoch {epochs[0]}")
    spans.pop("", None)
    if not spans:
        return f"At no epoch up to {found[-1].epoch} is one of the networks ahead, {confidence}."
    clauses = [f"the {name} network is ahead {' and '.join(own)}" for name, own in spans.items()]
    return f"{'; '.join(clauses).capitalize()}, {confidence}."
