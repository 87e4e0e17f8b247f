"""The epochs at which one network is ahead."""

import numpy as np
import pytest
from random_predictions import differences

from shallowdeep.evaluation.by_epoch import EpochDifference, ahead_sentence, by_epoch
from shallowdeep.evaluation.intervals import Design
from shallowdeep.trained.predictions import Predictions

LABELS = np.arange(200) % 2
DESIGN = Design(LABELS, np.arange(200) // 2 % 4, 150)
NONE = np.zeros((0, 0), np.float32)


def network(rng, right, *, epochs=(1,), runs=4):
    """Predictions of runs that are right about such a share of the pictures, after each epoch."""
    hit = rng.random((len(epochs), runs, 200)) < right
    return Predictions(list(epochs), np.where(hit == LABELS, 0.8, 0.2), NONE, NONE)


def of_epochs(deep, shallow, *, keep="last"):
    return by_epoch(DESIGN, deep, shallow, keep=keep, alpha=0.05)


def test_the_band_holds_for_all_epochs_and_is_wider_than_one_interval():
    """Around the difference in balanced accuracy, epoch by epoch."""
    rng = np.random.default_rng(0)
    deep, shallow = (network(rng, right, epochs=(1, 3, 9)) for right in (0.7, 0.6))
    found = of_epochs(deep, shallow)
    assert [one.epoch for one in found] == [1, 3, 9]
    for one, first, second in zip(found, deep.test, shallow.test, strict=True):
        alone = differences(DESIGN, first, second, alpha=0.05)["balanced_accuracy"]
        assert one.mean == pytest.approx(alone.mean)
        assert 1.05 < (one.high - one.low) / (alone.high - alone.low) < 1.5


@pytest.mark.parametrize(
    ("deep", "shallow", "runs", "ahead"),  # the third difference is clear, but guessing
    [(0.9, 0.6, 4, "deep"), (0.6, 0.9, 4, "shallow"), (0.5, 0.2, 4, ""), (0.9, 0.6, 1, "")],
)
def test_a_network_that_guesses_or_ran_once_is_not_ahead(deep, shallow, runs, ahead):
    """However clear the difference."""
    rng = np.random.default_rng(0)
    (found,) = of_epochs(network(rng, deep, runs=runs), network(rng, shallow, runs=runs))
    assert found.ahead == ahead


def test_networks_are_compared_after_the_same_epochs():
    """With `keep: best` the last predictions are not of the last epoch."""
    rng = np.random.default_rng(0)
    short, long = network(rng, 0.9, epochs=(1, 3)), network(rng, 0.6, epochs=(1, 2, 3, 9))
    assert [one.epoch for one in of_epochs(short, long)] == [1, 3]
    assert [one.epoch for one in of_epochs(short, long, keep="best")] == [1]
    third = differences(DESIGN, short.test[1], long.test[2], alpha=0.05)["balanced_accuracy"]
    assert of_epochs(short, long)[1].mean == pytest.approx(third.mean)
    once = network(rng, 0.9)
    assert [one.epoch for one in of_epochs(once, long, keep="best")] == [1]


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        (["", "", ""], "At no epoch up to 9 is one of the networks ahead,"),
        (["deep", "", "deep"], "The deep network is ahead at epoch 1 and at epoch 9, "),
        (["shallow", "shallow", ""], "The shallow network is ahead from epoch 1 to 3, "),
        (
            ["shallow", "", "deep"],
            "shallow network is ahead at epoch 1; the deep network is ahead at epoch 9",
        ),
        (["deep", "deep", "deep"], "with 90 % confidence for all epochs together."),
    ],
)
def test_a_sentence_says_from_when_to_when(ahead, expected):
    """With the confidence of the whole band."""
    epochs = zip((1, 3, 9), ahead, strict=True)
    found = [EpochDifference(epoch, 0.1, 0.0, 0.2, name) for epoch, name in epochs]
    said = ahead_sentence(found, alpha=0.1, runs=10)
    assert expected in said and "90 % confidence" in said
    assert "One run" in ahead_sentence(found, alpha=0.1, runs=1)
