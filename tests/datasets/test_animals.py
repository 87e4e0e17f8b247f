"""Cats and dogs: what tells them apart, and what must not."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from shallowdeep.datasets.animals import animal
from shallowdeep.datasets.canvas import Dice

CATS = [animal(Dice(0, number), is_cat=True) for number in range(1000)]
DOGS = [animal(Dice(1, number), is_cat=False) for number in range(1000)]


@pytest.mark.parametrize(
    "trait",
    [
        lambda it: it.coat[0],
        lambda it: it.coat[2],
        lambda it: it.markings[1],
        lambda it: it.light[2],
        lambda it: it.yaw,
    ],
    ids=["coat red", "coat blue", "markings green", "light blue", "yaw"],
)
def test_colour_and_pose_say_nothing_about_the_class(trait):
    """Coats and the way they look follow one distribution (Kolmogorov-Smirnov, 1,000 of each)."""
    assert ks_2samp([trait(it) for it in CATS], [trait(it) for it in DOGS]).pvalue > 0.001


def test_features_overlap_as_they_do_in_life():
    """Most cats but also some dogs have pointed ears and long tails; builds overlap."""
    assert 0.88 < np.mean([it.pointed_ears for it in CATS]) < 0.96
    assert 0.20 < np.mean([it.pointed_ears for it in DOGS]) < 0.30
    assert 0.75 < np.mean([it.long_tail for it in CATS]) < 0.85
    assert 0.25 < np.mean([it.long_tail for it in DOGS]) < 0.35
    assert min(it.build for it in DOGS) < max(it.build for it in CATS)
