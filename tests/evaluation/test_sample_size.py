"""Sample sizes are the textbook's and give the power that is asked for."""

import numpy as np
import pytest
from scipy import stats

from shallowdeep.evaluation.sample_size import pictures_needed
from shallowdeep.files.errors import InputError


def test_pictures_needed_without_pairing_is_the_textbooks():
    """R documents power.prop.test(p1 = .50, p2 = .75, power = .90) as 76.7."""
    assert pictures_needed(0.5, 0.75, power=0.9) == 77


def test_pictures_needed_give_the_power_asked_for():
    """Of 4,000 simulated pairs of networks that disagree on 30 % of the pictures, 80 % differ."""
    n = pictures_needed(0.6, 0.65, disagreement=0.3)
    rng = np.random.default_rng(0)
    better, worse, _ = rng.multinomial(n, [0.175, 0.125, 0.7], size=4000).T
    found = (better - worse) ** 2 / (better + worse) > stats.chi2(1).isf(0.05)  # McNemar's test
    assert found.mean() == pytest.approx(0.8, abs=0.02)


def test_seeds_can_hide_a_difference_from_any_number_of_pictures():
    """A larger variance from the seeds takes more pictures, then runs instead."""
    calm = pictures_needed(0.6, 0.62, disagreement=0.06)
    assert pictures_needed(0.6, 0.62, disagreement=0.06, run_variance=1e-5) > calm
    with pytest.raises(InputError, match="more runs are needed"):
        pictures_needed(0.6, 0.62, disagreement=0.06, run_variance=1e-4)


def test_models_that_hardly_disagree_cannot_differ_much():
    """Accuracies five points apart take a disagreement on some pictures."""
    with pytest.raises(InputError, match=r"disagreement: 0.001 is below 0.0025"):
        pictures_needed(0.6, 0.65, disagreement=0.001)
