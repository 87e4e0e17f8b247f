"""Cats and dogs: what tells them apart, and what must not."""

import numpy as np
from scipy.stats import ks_2samp

from shallowdeep.datasets.animals import animal
from shallowdeep.datasets.canvas import Dice

CATS = [animal(Dice(0, number), is_cat=True) for number in range(1000)]
DOGS = [animal(Dice(1, number), is_cat=False) for number in range(1000)]


def test_colour_and_pose_say_nothing_about_the_class():
    """Coats and the way they look follow one distribution (Kolmogorov-Smirnov, 1,000 of each)."""
    cats, dogs = (
        [(it.coat[0], it.coat[2], it.markings[1], it.light[2], it.yaw) for it in animals]
        for animals in (CATS, DOGS)
    )
    assert (ks_2samp(cats, dogs).pvalue > 0.001).all()


def test_features_overlap_as_they_do_in_life():
    """Most cats but also some dogs have pointed ears and long tails; builds overlap."""
    assert 0.88 < np.mean([it.pointed_ears for it in CATS]) < 0.96
    assert 0.20 < np.mean([it.pointed_ears for it in DOGS]) < 0.30
    assert 0.75 < np.mean([it.long_tail for it in CATS]) < 0.85
    assert 0.25 < np.mean([it.long_tail for it in DOGS]) < 0.35
    assert min(it.build for it in DOGS) < max(it.build for it in CATS)
