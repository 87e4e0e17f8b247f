"""All results that follow from the predictions of the networks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shallowdeep.evaluation import outlook
from shallowdeep.evaluation.by_epoch import EpochDifference, by_epoch
from shallowdeep.evaluation.intervals import paired
from shallowdeep.evaluation.outlook import Outlook
from shallowdeep.evaluation.score_table import ScoreTable, score_table
from shallowdeep.evaluation.scores import SCORES
from shallowdeep.evaluation.sentences import training_clause
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
    """Score and compare the networks, after the last epoch and after earlier ones.

    The predictions come by split and, after every epoch that there is, by network.
    """
    test, alpha = splits["test"], settings.alpha
    tuned = {name: own.tuned for name, own in predictions.items()}
    scores = score_table(splits, alpha=alpha)
    compared = [
        Comparison(
            pair,
            {name: scores.models[name]["test"][SCORE] for name in pair},
            found["test"][SCORE],
            runs=settings.runs,
            folds=settings.folds,
            trained=test.design.trained,
            alpha=alpha,
            equivalence_margin=settings.equivalence_margin,
            training=training_clause(settings, pair, tuned),
        )
        for pair, found in scores.pairs.items()
    ]
    apart = paired(test.design, SCORES[SCORE], *(test.probabilities[name] for name in QUESTION))
    deep, shallow = (predictions[name] for name in QUESTION)
    return Findings(
        scores,
        compared[0]._replace(difference=scores.question[SCORE]),
        compared,
        outlook.outlook(test.design, apart, alpha=alpha) if settings.runs > 1 else [],
        by_epoch(test.design, deep, shallow, keep=settings.keep, alpha=alpha),
    )
