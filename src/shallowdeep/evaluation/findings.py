"""All results that follow from the predictions of the networks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shallowdeep.evaluation import outlook
from shallowdeep.evaluation.by_epoch import EpochDifference, at_common_epochs, by_epoch
from shallowdeep.evaluation.intervals import paired
from shallowdeep.evaluation.outlook import Outlook
from shallowdeep.evaluation.score_table import ScoreTable, score_table
from shallowdeep.evaluation.scores import SCORES
from shallowdeep.evaluation.split_predictions import SplitPredictions
from shallowdeep.evaluation.verdict import QUESTION, SCORE, Comparison
from shallowdeep.prepared.folds import SplitName
from shallowdeep.settings.params import Params
from shallowdeep.trained.predictions import Predictions


class Findings(NamedTuple):
    """Results of one evaluation."""

    scores: ScoreTable
    question: Comparison  # deep and shallow, by itself
    pairs: Sequence[Comparison]  # all pairs with simultaneous intervals, the question's first
    outlook: Sequence[Outlook]  # nothing with one run
    epochs: Sequence[EpochDifference]  # of the question

    @property
    def compared(self) -> list[Comparison]:
        """A comparison for every pair, that of the question by itself."""
        return [self.question, *self.pairs[1:]]


def conclude(
    splits: Mapping[SplitName, SplitPredictions],
    predictions: Mapping[str, Predictions],
    settings: Params,
) -> Findings:
    """Score and compare the networks, after the last epoch and on the way.

    Args:
        splits: predictions by split.
        predictions: the same by network, after every epoch that they have.
        settings: of params.yaml.
    """
    test, alpha = splits["test"], settings.alpha
    scores = score_table(splits, alpha=alpha)
    compared = [
        Comparison(
            pair,
            {name: scores.models[name]["test"][SCORE] for name in pair},
            found["test"][SCORE],
            runs=settings.runs,
            folds=settings.folds,
            trained=test.trained,
            alpha=alpha,
            equivalence_margin=settings.equivalence_margin,
        )
        for pair, found in scores.pairs.items()
    ]
    apart = paired(test.design, SCORES[SCORE], *(test.probabilities[name] for name in QUESTION))
    both = [predictions[name] for name in QUESTION]
    epochs = at_common_epochs(
        [one.epochs for one in both], [one.test for one in both], keep=settings.keep
    )
    return Findings(
        scores,
        compared[0]._replace(difference=scores.question[SCORE]),
        compared,
        outlook.outlook(test.design, apart, alpha=alpha) if settings.runs > 1 else [],
        by_epoch(QUESTION, test.design, epochs, alpha=alpha),
    )
