"""Splits are stratified, and depend on the seed and a class's own pictures alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.split import SPLITS, stratified
from shallowdeep.settings.params import Split

ARTICLE = Split(train=0.8, validation=0.1, test=0.1)


def split(cats, dogs, *, fractions=ARTICLE, seed=0):
    labels = np.repeat([0, 1], [cats, dogs])
    return stratified(labels, fractions, classes=("cat", "dog"), seed=seed)


@given(
    cats=st.integers(13, 300),
    dogs=st.integers(13, 300),
    seed=st.integers(0, 2**31),
    train=st.floats(0.2, 0.6),
)
def test_every_class_is_split_alike(cats, dogs, seed, train):
    """Each class has its share of each split, to less than one picture, and no picture is lost."""
    fractions = Split(train=train, validation=0.2, test=1 - train - 0.2)
    splits = split(cats, dogs, fractions=fractions, seed=seed)
    for part in (splits[:cats], splits[cats:]):
        for name in SPLITS:
            assert abs(part.count(name) - len(part) * getattr(fractions, name)) < 1 + 1e-6
        assert sum(part.count(name) for name in SPLITS) == len(part)


@pytest.mark.parametrize(
    ("pictures", "expected"), [(20, (16, 2, 2)), (26, (21, 3, 2)), (500, (400, 50, 50))]
)
def test_remainders_go_to_the_largest(pictures, expected):
    """26 at 80/10/10 are 20.8, 2.6 and 2.6; of equal ones the first gets one more."""
    splits = split(pictures, pictures)[:pictures]
    assert tuple(splits.count(name) for name in SPLITS) == expected


def test_the_seed_decides():
    """The same seed, the same split; another seed, another one."""
    assert split(50, 50) == split(50, 50)
    assert split(50, 50) != split(50, 50, seed=1)


def test_a_class_is_split_without_regard_to_the_other():
    """A picture more in one leaves the other's split as it was; the two are not shuffled alike."""
    assert split(50, 50)[:50] == split(50, 51)[:50]
    assert split(50, 50)[50:] == split(51, 50)[51:]
    assert split(50, 50)[:50] != split(50, 50)[50:]


@pytest.mark.parametrize(("pictures", "counts"), [(15, "12 train, 2 validation, 1 test"), (0, "0")])
def test_a_class_can_be_too_small(pictures, counts):
    """Every split needs two pictures of each class; the message says what there would be."""
    with pytest.raises(InputError, match=rf"class dog: {pictures} usable .*\({counts}"):
        split(100, pictures)
