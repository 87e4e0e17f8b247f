"""The difference between two networks after each epoch: the source article's question."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.evaluation.intervals import Design, estimate, paired, scored
from shallowdeep.evaluation.max_t import MaxT
from shallowdeep.evaluation.scores import SCORES, Floats
from shallowdeep.evaluation.verdict import GUESSING, SCORE, Pair


class EpochDifference(NamedTuple):
    """The difference after one epoch; its interval holds for all epochs at once."""

    epoch: int
    mean: float
    low: float
    high: float
    ahead: str  # name of the network, or nothing


class EpochPredictions(NamedTuple):
    """Predictions of two networks after one epoch."""

    epoch: int
    first: Floats  # probabilities of class 1 [R, N]
    second: Floats


def at_common_epochs(
    epochs: Sequence[Sequence[int]],
    probabilities: Sequence[NDArray[np.floating[Any]]],
    *,
    keep: str,
) -> list[EpochPredictions]:
    """Predictions of two networks after the epochs that both have.

    Args:
        epochs: of each network, after which there are predictions.
        probabilities: of each, of class 1 after these epochs [A, R, N].
        keep: if `best`, the last predictions are not of the last epoch and are left out.
    """
    first, second = (
        {epoch: place for place, epoch in enumerate(own)}
        for own in (own[:-1] if keep == "best" and len(own) > 1 else own for own in epochs)
    )
    return [
        EpochPredictions(
            epoch,
            probabilities[0][first[epoch]].astype(np.float64),
            probabilities[1][second[epoch]].astype(np.float64),
        )
        for epoch in sorted(first.keys() & second.keys())
    ]


def by_epoch(
    pair: Pair, design: Design, predictions: Sequence[EpochPredictions], *, alpha: float
) -> list[EpochDifference]:
    """The difference in balanced accuracy after each epoch, with a simultaneous band.

    A network is ahead if the band leaves out 0 and the network does better than guessing. With one
    run the band covers new pictures only, and no network is ahead.

    Args:
        pair: the networks.
        design: the pictures.
        predictions: of the same runs, in the order of their epochs.
        alpha: 1 - alpha is the confidence of the whole band.
    """
    score = SCORES[SCORE]
    differences = [paired(design, score, one.first, one.second) for one in predictions]
    level = MaxT(design, differences).level(alpha)
    found = []
    for of_epoch, scores in zip(predictions, differences, strict=True):
        difference = estimate(design, scores)
        mean, margin = difference.mean, difference.margin(level)
        name, own = (pair.first, of_epoch.first) if mean > 0 else (pair.second, of_epoch.second)
        alone = estimate(design, scored(design, score, own))
        clear = abs(mean) > margin and alone.mean - alone.margin(alpha) > GUESSING
        ahead = name if clear and len(own) > 1 else ""
        found.append(EpochDifference(of_epoch.epoch, mean, mean - margin, mean + margin, ahead))
    return found


def ahead_sentence(found: Sequence[EpochDifference], *, alpha: float, runs: int) -> str:
    """The epochs at which a network is ahead, as a sentence."""
    if runs < 2:
        return "One run of each network cannot tell from which epoch on one is ahead."
    confidence = f"with {100 * (1 - alpha):g} % confidence for all epochs looked at together"
    spans = []
    for name, group in groupby(found, key=lambda one: one.ahead):
        epochs = [one.epoch for one in group]
        if name:
            where = f"from epoch {epochs[0]} to {epochs[-1]}"
            spans.append(
                f"the {name} network {where if len(epochs) > 1 else f'at epoch {epochs[0]}'}"
            )
    last = found[-1].epoch
    if not spans:
        return f"At no epoch up to {last} is one of the networks ahead, {confidence}."
    return f"Ahead, {confidence}: {', then '.join(spans)}."
