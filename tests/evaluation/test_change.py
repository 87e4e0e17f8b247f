"""A change between experiments is real if chance does not explain it."""

import numpy as np
import pytest
from random_predictions import differences

from shallowdeep.evaluation.change import Change, ExperimentPredictions, changes, holm
from shallowdeep.evaluation.intervals import Design, estimate, scored
from shallowdeep.evaluation.scores import SCORES

N = 400
LABELS = np.arange(N) % 2
NAMES = np.array([f"{number:04}" for number in range(N)])


def experiment(seed, *, right=0.6, runs=5, folds=4, alike=0.9, params_seed=0):
    """Answers to pictures some of which are easy: `alike` of them for every network."""
    rng, common = np.random.default_rng(seed), np.random.default_rng(99)
    easy = common.random(N) < right
    probabilities = {}
    for name in ("shallow", "deep"):
        own = rng.random((runs, N)) < right
        hit = np.where(common.random(N) < alike, easy, own)
        probabilities[name] = np.where(hit == LABELS, 0.8, 0.2)
    fold = np.random.default_rng(params_seed).permutation(N // 2).repeat(2) % folds
    return ExperimentPredictions(NAMES, Design(LABELS, fold, 300), params_seed, probabilities)


def width(before, after, score="balanced_accuracy"):
    common, found = changes(before, after, alpha=0.05)
    (one,) = [change for change in found if (change.of, change.score) == ("deep", score)]
    return common, one.high - one.low


def strangers(of):
    """The same experiment on other pictures."""
    return of._replace(pictures=np.char.add("x", NAMES))


def test_with_the_same_pictures_and_runs_it_is_the_interval_of_a_difference():
    """That of two networks of one experiment."""
    before, after = experiment(1), experiment(2)
    _, found = changes(before, after, alpha=0.05)
    old, new = before.probabilities["deep"], after.probabilities["deep"]
    expected = differences(before.design, new, old, alpha=0.05)
    for one in (one for one in found if one.of == "deep"):
        assert (one.low, one.high, one.p_value) == pytest.approx(expected[one.score][2:])
        assert one.after - one.before == pytest.approx(expected[one.score].mean)


@pytest.mark.parametrize("params_seed", [0, 1])
def test_the_order_of_pictures_does_not_matter(params_seed):
    """They are found by what tells them apart."""
    before, after = experiment(1), experiment(2, params_seed=params_seed)
    order = np.random.default_rng(3).permutation(N)
    labels, folds, trained, _ = after.design
    shuffled = after._replace(
        pictures=NAMES[order],
        design=Design(labels[order], folds[order], trained),
        probabilities={name: of[:, order] for name, of in after.probabilities.items()},
    )
    found = (changes(before, of, alpha=0.05)[1] for of in (after, shuffled))
    for one, other in zip(*found, strict=True):
        assert one[2:] == pytest.approx(other[2:])


@pytest.mark.parametrize(
    ("changed", "expected", "narrower"),
    [
        ({}, "pictures and runs", 0.6),
        ({"params_seed": 1}, "pictures", 0.8),
        ({"runs": 8}, "pictures", 0.8),
        ({"folds": 5}, "pictures", 0.8),
    ],
    ids=["nothing", "seed and folds", "runs", "folds"],
)
def test_the_same_pictures_are_compared_one_by_one(changed, expected, narrower):
    """Narrower than with nothing in common; with other seeds, runs or folds by picture alone."""
    before, after = experiment(1), experiment(2, **changed)
    common, found = width(before, after)
    nothing, apart = width(before, strangers(after))
    assert (common, nothing) == (expected, "nothing")
    assert found < narrower * apart


def test_what_only_looks_alike_is_not_in_common():
    """Runs of another seed, though their folds are the same; an added picture; another class."""
    before, after = experiment(1), experiment(2)
    common, found = width(before, after._replace(seed=1))
    assert common == "pictures"
    assert found > 0.9 * width(before, after)[1]
    renamed = np.where(np.arange(N) == 7, "added", NAMES)
    turned = after.design._replace(labels=np.r_[LABELS[1::-1], LABELS[2:]])
    for other in (after._replace(pictures=renamed), after._replace(design=turned)):
        assert width(before, other)[0] == "nothing"


def test_noise_of_run_and_picture_counts_once():
    """Without easy pictures, comparing by picture is as wide as with nothing in common."""
    before, other = (
        of._replace(design=of.design._replace(trained=1_600))  # f is 1.25 then, as g
        for of in (experiment(1, alike=0), experiment(2, alike=0, params_seed=1))
    )
    expected = width(before, strangers(other))[1]
    assert width(before, other)[1] == pytest.approx(expected, rel=0.1)


def test_with_nothing_in_common_both_bring_their_chance():
    """The change's variance is the sum of both."""
    before, after = experiment(1), strangers(experiment(2, right=0.7))
    both = [
        estimate(of.design, scored(of.design, SCORES["roc_auc"], of.probabilities["deep"]))
        for of in (before, after)
    ]
    error = np.hypot(both[0].error, both[1].error)
    assert 2 * 1.96 * error < width(before, after, "roc_auc")[1] < 2 * 2.2 * error


def test_only_what_is_beyond_chance_is_real():
    """A clear change of every score is, none of equal ones; one run shows nothing.

    A model that one of them lacks is left out, and so are its pairs.
    """
    before = experiment(1, alike=0.2)
    better = experiment(2, alike=0.2, right=0.8)
    better.probabilities["wide"] = better.probabilities["deep"]
    _, found = changes(before, better, alpha=0.05)
    assert {change.of for change in found} == {"shallow", "deep", "deep minus shallow"}
    assert all(change.real for change in found if change.of == "deep")
    assert not any(change.real for change in found if change.of == "deep minus shallow")
    _, found = changes(before, before, alpha=0.05)
    assert all((change.p_value, change.real) == (1, False) for change in found)
    once = experiment(2, alike=0.2, right=0.9, runs=1)
    assert not any(change.real for change in changes(before, once, alpha=0.05)[1])


def test_marks_hold_for_the_whole_table():
    """Holm: the smallest p is held against alpha over all, the next over one less, till one fails.

    Of these four the levels are 0.0125, 0.0167, 0.025 and 0.05.
    """
    one = Change("deep", "f1", 0.5, 0.6, 0.0, 0.2, 1.0, real=False)
    found = holm([one._replace(p_value=p) for p in (0.04, 0.001, 0.03, 0.013)], alpha=0.05)
    assert [change.real for change in found] == [False, True, False, True]
    before, after = experiment(1, alike=0.5), experiment(4, alike=0.5, right=0.68)
    _, found = changes(before, after, alpha=0.05)
    assert found == holm(found, alpha=0.05)
    beyond_alone = sum(change.low > 0 or change.high < 0 for change in found)
    assert 0 < sum(change.real for change in found) < beyond_alone
