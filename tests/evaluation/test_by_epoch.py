"""The epochs at which one network is ahead."""

import numpy as np
import pytest
from random_predictions import differences

from shallowdeep.evaluation.by_epoch import (
    EpochDifference,
    EpochPredictions,
    ahead_sentence,
    at_common_epochs,
    by_epoch,
)
from shallowdeep.evaluation.intervals import Design
from shallowdeep.evaluation.verdict import QUESTION

LABELS = np.arange(200) % 2
DESIGN = Design(LABELS, np.arange(200) // 2 % 4, 150)


def predictions(rng, right, *, runs=4):
    """Probabilities of runs that are right about such a share of the pictures."""
    hit = rng.random((runs, 200)) < right
    return np.where(hit == LABELS, 0.8, 0.2)


def test_the_band_holds_for_all_epochs_and_is_wider_than_one_interval():
    """Around the difference in balanced accuracy, epoch by epoch."""
    rng = np.random.default_rng(0)
    given = [
        EpochPredictions(epoch, predictions(rng, 0.7), predictions(rng, 0.6)) for epoch in (1, 3, 9)
    ]
    found = by_epoch(QUESTION, DESIGN, given, alpha=0.05)
    assert [one.epoch for one in found] == [1, 3, 9]
    for one, own in zip(found, given, strict=True):
        alone = differences(DESIGN, own.first, own.second, alpha=0.05)["balanced_accuracy"]
        assert one.mean == pytest.approx(alone.mean)
        assert 1.05 < (one.high - one.low) / (alone.high - alone.low) < 1.5


def test_who_guesses_or_ran_once_is_not_ahead():
    """A clear difference, but of a network at 50 %, or of a single run."""
    rng = np.random.default_rng(0)
    clear = EpochPredictions(1, predictions(rng, 0.9), predictions(rng, 0.6))
    assert by_epoch(QUESTION, DESIGN, [clear], alpha=0.05)[0].ahead == "deep"
    back = EpochPredictions(1, clear.second, clear.first)
    assert by_epoch(QUESTION, DESIGN, [back], alpha=0.05)[0].ahead == "shallow"
    worse = EpochPredictions(1, predictions(rng, 0.5), predictions(rng, 0.2))
    assert by_epoch(QUESTION, DESIGN, [worse], alpha=0.05)[0].ahead == ""
    once = EpochPredictions(1, clear.first[:1], clear.second[:1])
    assert by_epoch(QUESTION, DESIGN, [once], alpha=0.05)[0].ahead == ""


def test_networks_are_compared_after_the_same_epochs():
    """Those of both; with `keep: best` the last predictions are not of the last epoch."""
    short, long = np.zeros((2, 1, 3)), np.ones((3, 1, 3))
    epochs = [(1, 3), (1, 3, 9)]
    both = [short, long]
    assert [one.epoch for one in at_common_epochs(epochs, both, keep="last")] == [1, 3]
    assert [one.epoch for one in at_common_epochs(epochs, both, keep="best")] == [1]
    assert len(at_common_epochs([(1,), (1,)], [short[:1], long[:1]], keep="best")) == 1
    (first, _) = at_common_epochs(epochs, both, keep="last")
    assert (first.first.mean(), first.second.mean()) == (0, 1)


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (["", "", ""], "At no epoch up to 9 is one of the networks ahead,"),
        (["shallow", "shallow", ""], "the shallow network from epoch 1 to 3."),
        (["shallow", "", "deep"], "the shallow network at epoch 1, then the deep network at"),
        (["deep", "deep", "deep"], "Ahead, with 90 % confidence for all epochs looked at together"),
    ],
)
def test_a_sentence_says_from_when_to_when(ahead, expected):
    """With the confidence of the whole band."""
    epochs = zip((1, 3, 9), ahead, strict=True)
    found = [EpochDifference(epoch, 0.1, 0.0, 0.2, name) for epoch, name in epochs]
    assert expected in ahead_sentence(found, alpha=0.1, runs=10)
    assert "90 % confidence" in ahead_sentence(found, alpha=0.1, runs=10)
    assert "One run" in ahead_sentence(found, alpha=0.1, runs=1)
