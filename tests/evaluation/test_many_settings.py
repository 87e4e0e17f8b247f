"""Verdicts at many settings hold all at once."""

import numpy as np
from scipy.special import expit

from shallowdeep.evaluation.intervals import Design
from shallowdeep.evaluation.many_settings import step_down, summary
from shallowdeep.evaluation.verdict import QUESTION, compare, verdict

LABELS = np.arange(200) % 2
DESIGN = Design(LABELS, np.arange(200) // 2 % 5, 160)


def setting(rng, *, ahead=0.0, pictures=0.3):
    """A comparison at any level; `ahead` for the deep network."""
    good = 0.7 + pictures * rng.standard_normal(200)
    first, second = (
        expit((2 * LABELS - 1) * (good + gain) + rng.standard_normal((5, 200)))
        for gain in (ahead, 0.0)
    )
    return lambda alpha: compare(
        QUESTION, DESIGN, first, second, alpha=alpha, equivalence_margin=0.02
    )


def test_each_step_needs_less_as_settings_are_decided():
    """Four clear ones at 0.05 / 5; then the fifth has all of 0.05; a summary counts them."""
    rng = np.random.default_rng(0)
    clear = [setting(rng, ahead=1.0) for _ in range(4)]
    every = (setting(np.random.default_rng(seed), ahead=0.28) for seed in range(40))
    weak = next(one for one in every if 0.02 < one(0.05).difference.p_value < 0.05)
    found = step_down([*clear, weak], alpha=0.05)
    assert [verdict(of) for of in found] == ["deep"] * 5
    assert [of.alpha for of in found] == [0.01] * 4 + [0.05]
    assert summary(found, alpha=0.05) == (
        "In 5 of 5 settings the deep network is ahead, in 0 the shallow one, in 0 they are equal,"
        " 0 are undecided; all verdicts hold together with 95 % confidence"
    )
    found = step_down([*(setting(rng) for _ in range(4)), weak], alpha=0.05)
    assert verdict(found[-1]) == "undecided"
    assert {of.alpha for of in found} == {0.01}


def test_where_nothing_is_to_be_found_few_series_name_a_network():
    """Of 150 series of 8 settings; at 0.05 each by itself several do."""
    rng = np.random.default_rng(1)
    wrong = alone = 0
    for _ in range(150):
        settings = [setting(rng) for _ in range(8)]
        wrong += any(verdict(of) in QUESTION for of in step_down(settings, alpha=0.05))
        alone += any(verdict(at(0.05)) in QUESTION for at in settings)
    assert wrong <= 0.09 * 150
    assert alone > 2 * wrong
