"""From which epoch to which one network is ahead of the other: the source article's question."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.evaluation.intervals import Design, estimate, paired, scored
from shallowdeep.evaluation.scores import SCORES, Floats
from shallowdeep.evaluation.simultaneous import Together
from shallowdeep.evaluation.verdict import GUESSING, SCORE, Pair


class EpochDifference(NamedTuple):
    """The difference after one epoch; its interval holds for all epochs at once."""

    epoch: int
    mean: float
    low: float
    high: float
    ahead: str  # the network that is, or nothing


class Stage(NamedTuple):
    """What two networks said after one epoch."""

    epoch: int
    first: Floats  # probabilities of class 1 [R, N]
    second: Floats


def stages(
    asked: Sequence[Sequence[int]], said: Sequence[NDArray[np.floating[Any]]], *, keep: str
) -> list[Stage]:
    """What two networks said after those epochs after which both were asked.

    Args:
        asked: of each network, after which epochs.
        said: of each, probabilities of class 1 at these epochs [A, R, N].
        keep: where it is `best`, the last answers are not of the last epoch, and are left out.
    """
    places = []
    for epochs in asked:
        there = list(epochs)[:-1] if keep == "best" and len(epochs) > 1 else list(epochs)
        places.append({epoch: place for place, epoch in enumerate(there)})
    first, second = places
    return [
        Stage(
            epoch,
            *(one[of[epoch]].astype(np.float64) for one, of in zip(said, places, strict=True)),
        )
        for epoch in sorted(first.keys() & second.keys())
    ]


def by_epoch(
    pair: Pair, design: Design, stages: Sequence[Stage], *, alpha: float
) -> list[EpochDifference]:
    """The difference in balanced accuracy after each epoch, with a simultaneous band.

    A network is ahead where the band leaves 0 out and it does better than guessing. With one run
    the band covers new pictures only, and nobody is ahead.

    Args:
        pair: whose difference it is.
        design: which pictures are asked about, and by whom.
        stages: of the same runs, in the order of their epochs.
        alpha: 1 - alpha is the confidence of the whole band.
    """
    scores = [paired(design, SCORE, one.first, one.second) for one in stages]
    level = Together(design, scores).level(alpha)
    found = []
    for stage, of_epoch in zip(stages, scores, strict=True):
        difference = estimate(design, of_epoch)
        margin = difference.margin(level)
        mean = difference.mean
        name, said = (pair.first, stage.first) if mean > 0 else (pair.second, stage.second)
        one = estimate(design, scored(design, SCORES[SCORE], said))
        sure = abs(mean) > margin and one.mean - one.margin(alpha) > GUESSING
        ahead = name if sure and len(said) > 1 else ""
        found.append(EpochDifference(stage.epoch, mean, mean - margin, mean + margin, ahead))
    return found


def in_words(found: Sequence[EpochDifference], *, alpha: float, runs: int) -> str:
    """From which epoch to which one network is ahead, or none."""
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
