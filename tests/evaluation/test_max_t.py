"""Intervals that hold all at once are as wide as they have to be."""

import numpy as np
import pytest
from scipy.special import ndtri

from shallowdeep.evaluation.intervals import Design, Scored, contributions, variance_parts
from shallowdeep.evaluation.max_t import MaxT
from shallowdeep.evaluation.scores import RunScores

RNG = np.random.default_rng(0)
LABELS, FOLDS = np.arange(400) % 2, np.arange(400) // 4 % 2
DESIGN = Design(LABELS, FOLDS, 200)


def differences(common, *, runs=5):
    """Scores on two folds whose pictures and runs have so much in common with all others'."""
    shared = np.random.default_rng(1)
    scores = []
    for own in DESIGN.by_fold():
        parts = shared.normal(size=(1, len(own))) * common
        parts = parts + RNG.normal(size=(1, len(own))) * (1 - common**2) ** 0.5
        of_runs = shared.normal(size=runs) * common + RNG.normal(size=runs) * (1 - common**2) ** 0.5
        scores.append(RunScores(of_runs, np.repeat(parts, runs, axis=0) / len(own)))
    return Scored(scores, 0.1, is_difference=True)


def critical(level):
    return -float(ndtri(level / 2))


def test_independent_differences_need_sidaks_level_and_equal_ones_that_of_one():
    """Normal quantile at 1 - (1 - 0.05)^(1/5), 2.569; and 1.96, rounded up; every time the same."""
    one = MaxT(DESIGN, [differences(0)])
    assert (one.level(0.05), one.p_value(0.02)) == (0.05, 0.02)
    scores = [differences(0) for _ in range(5)]
    five = MaxT(DESIGN, scores)
    assert five.level(0.05) == MaxT(DESIGN, scores).level(0.05)
    assert critical(five.level(0.05)) == pytest.approx(2.569, abs=0.03)
    assert five.p_value(0.2) == pytest.approx(1 - 0.8**5, abs=0.07)
    same = MaxT(DESIGN, [differences(0)] * 16)
    assert critical(same.level(0.05)) == pytest.approx(1.96, abs=0.021)
    assert same.p_value(0.2) == pytest.approx(0.2, abs=0.02)


def test_what_differences_have_in_common_makes_them_narrower():
    """Between one and independent ones."""
    alike = MaxT(DESIGN, [differences(0.9) for _ in range(16)])
    apart = MaxT(DESIGN, [differences(0.3) for _ in range(16)])
    assert 2.2 < critical(alike.level(0.05)) < critical(apart.level(0.05)) - 0.1
    assert critical(apart.level(0.05)) < critical(0.05 / 16)


def test_p_and_interval_agree():
    """Below alpha among all just where the interval at the common level leaves out 0."""
    several = MaxT(DESIGN, [differences(0.5) for _ in range(4)])
    for alone in (1e-6, 0.001, 0.004, 0.01, 0.016, 0.03, 0.2, 1.0):
        assert (several.p_value(alone) < 0.05) == (alone < several.level(0.05))
        assert alone <= several.p_value(alone) <= min(4 * alone, 1)


def test_a_difference_that_cannot_vary_leaves_the_others_alone():
    """Two networks with the same answers."""
    none = [RunScores(np.zeros(5), np.zeros((5, len(own)))) for own in DESIGN.by_fold()]
    nothing = Scored(none, 0.0, is_difference=True)
    two = MaxT(DESIGN, [differences(0), nothing])
    assert critical(two.level(0.05)) == pytest.approx(1.96, abs=0.03)
    assert MaxT(DESIGN, [nothing, nothing]).level(0.05) == pytest.approx(0.05)


def test_contributions_add_up_to_the_parts_of_the_variance():
    """Squares of the groups' to S_p, of the runs' to S_b; widened by f, which is 3, and by g."""
    scores = differences(0.5)
    parts = variance_parts(DESIGN, scores)
    squares = contributions(DESIGN, scores) ** 2
    found = squares[:400].sum(), squares[400:].sum()
    assert found == pytest.approx((3 * parts.pictures, 1.25 * parts.runs))
    found = (parts.of_groups**2).sum(), (parts.of_runs**2).sum()
    assert found == pytest.approx((parts.pictures, parts.runs))
