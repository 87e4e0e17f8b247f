"""All that the answers of the networks come to."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.evaluation import by_epoch, outlook, score_table
from shallowdeep.evaluation.answers import Answers
from shallowdeep.evaluation.by_epoch import EpochDifference
from shallowdeep.evaluation.intervals import paired
from shallowdeep.evaluation.outlook import Outlook
from shallowdeep.evaluation.score_table import Scores
from shallowdeep.evaluation.verdict import QUESTION, SCORE, Comparison
from shallowdeep.prepared.folds import SplitName
from shallowdeep.settings.params import Params


class OnTheWay(NamedTuple):
    """What a network said while it was trained."""

    epochs: Sequence[int]
    answers: NDArray[np.floating[Any]]  # after each, probabilities of class 1 [A, R, N]


class Findings(NamedTuple):
    """What came out."""

    scores: Scores
    compared: Sequence[Comparison]  # what the verdict on each pair stands on, the question's first
    outlook: Sequence[Outlook]  # what would decide; nothing where there is one run
    epochs: Sequence[EpochDifference]  # of the question


def conclude(
    answers: Mapping[SplitName, Answers], on_the_way: Mapping[str, OnTheWay], params: Params
) -> Findings:
    """Score, compare, and look at every epoch.

    Args:
        answers: by split.
        on_the_way: by model, about the tested pictures.
        params: what was asked for.
    """
    test, alpha = answers["test"], params.alpha
    scores = score_table.evaluate(answers, alpha=alpha)
    first, second = (test.probabilities[name] for name in QUESTION)
    expected = []
    if params.runs > 1:
        apart = paired(test.design, SCORE, first, second)
        expected = outlook.outlook(test.design, apart, alpha=alpha)
    both = [on_the_way[name] for name in QUESTION]
    stages = by_epoch.stages(
        [one.epochs for one in both], [one.answers for one in both], keep=params.keep
    )
    return Findings(
        scores,
        [score_table.comparison(scores, pair, test.trained, params) for pair in scores.pairs],
        expected,
        by_epoch.by_epoch(QUESTION, test.design, stages, alpha=alpha),
    )
