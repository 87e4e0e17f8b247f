"""Folds are stratified, and depend on the seed and a class's own pictures alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.splitting import cut
from shallowdeep.prepared.folds import SPLITS, fold
from shallowdeep.settings.params import Split

ARTICLE = Split(train=0.8, validation=0.1, test=0.1)
FEW, MANY, SEEDS = st.integers(0, 40), st.integers(13, 300), st.integers(0, 2**31)


def parts(cats, dogs, *, single=ARTICLE, folds=1, seed=0):
    labels = np.repeat([0, 1], [cats, dogs])
    return cut(labels, single, folds=folds, classes=("cat", "dog"), seed=seed)


def counts(parts, rows):
    """Pictures among `rows` that a single split trains, validates and tests on."""
    return tuple(int(np.isin(split, rows).sum()) for split in fold(parts, 0, folds=1))


@given(cats=MANY, dogs=MANY, seed=SEEDS, train=st.floats(0.2, 0.6))
def test_every_class_is_split_alike(cats, dogs, seed, train):
    """Each class has its share of each split, to less than one picture, and no picture is lost."""
    single = Split(train=train, validation=0.2, test=1 - train - 0.2)
    found = parts(cats, dogs, single=single, seed=seed)
    for rows in (np.arange(cats), np.arange(cats, cats + dogs)):
        of_class = counts(found, rows)
        for name, count in zip(SPLITS, of_class, strict=True):
            assert abs(count - len(rows) * getattr(single, name)) < 1 + 1e-6
        assert sum(of_class) == len(rows)


@given(folds=st.integers(3, 12), extra=st.tuples(FEW, FEW), seed=SEEDS)
def test_every_picture_is_tested_once_and_validates_once(folds, extra, seed):
    """In folds whose classes differ by one picture at most; none is in two splits of a fold."""
    cats, dogs = (2 * folds + more for more in extra)
    found = parts(cats, dogs, folds=folds, seed=seed)
    each = [fold(found, number, folds=folds) for number in range(folds)]
    everything = np.arange(cats + dogs)
    for split in ("test", "validation"):
        rows = np.concatenate([getattr(one, split) for one in each])
        assert np.array_equal(np.sort(rows), everything)
    for one in each:
        assert np.array_equal(np.sort(np.concatenate(one)), everything)
    for low, high in ((0, cats), (cats, cats + dogs)):
        sizes = np.bincount(found[low:high], minlength=folds)
        assert 2 <= sizes.min() <= sizes.max() <= sizes.min() + 1


@pytest.mark.parametrize("pictures", [20, 26, 203, 500])
def test_fold_0_of_ten_is_the_single_split(pictures):
    """The same pictures in train, validation and test, whatever the remainders."""
    single, ten = (parts(pictures, pictures + 7, folds=folds) for folds in (1, 10))
    for one, other in zip(fold(single, 0, folds=1), fold(ten, 0, folds=10), strict=True):
        assert np.array_equal(one, other)


def test_the_single_split_is_the_one_that_it_has_always_been():
    """A class's permutation, train first: a change of it would change every figure."""
    rows = np.random.default_rng([3, 1]).permutation(np.arange(40, 90))
    found = fold(parts(40, 50, seed=3), 0, folds=1)
    for split, expected in zip(found, (rows[:40], rows[40:45], rows[45:]), strict=True):
        assert split[split >= 40].tolist() == sorted(expected)
    # 26 at 80/10/10 are 20.8, 2.6 and 2.6; of equal remainders the first gets one more.
    for pictures, sizes in ((20, (16, 2, 2)), (26, (21, 3, 2)), (500, (400, 50, 50))):
        assert counts(parts(pictures, pictures), np.arange(pictures)) == sizes


def test_the_seed_and_a_class_s_own_pictures_decide():
    """A picture more in one leaves the other's parts as they were; both are not shuffled alike."""
    assert np.array_equal(parts(50, 50, folds=10), parts(50, 50, folds=10))
    assert not np.array_equal(parts(50, 50, folds=10), parts(50, 50, folds=10, seed=1))
    found = parts(50, 50)
    assert np.array_equal(found[:50], parts(50, 51)[:50])
    assert np.array_equal(found[50:], parts(51, 50)[51:])
    assert not np.array_equal(found[:50], found[50:])


@pytest.mark.parametrize(
    ("folds", "pictures", "missing", "message"),
    [
        (1, 15, 2, r"usable .*\(12 train, 2 validation, 1 test"),
        (1, 0, 17, r"usable .*\(0"),
        (10, 19, 1, "usable .* folds: 10, .*: 1 more, or fewer folds"),
        (10, 0, 20, "usable .* folds: 10, .*: 20 more, or fewer folds"),
        (30, 40, 20, "usable .* folds: 30, .*: 20 more, or fewer folds"),
    ],
)
def test_a_class_can_be_too_small(folds, pictures, missing, message):
    """Every split needs two of each class; the message says how many are missing, or there are."""
    with pytest.raises(InputError, match=f"class dog: {pictures} {message}"):
        parts(100, pictures, folds=folds)
    parts(100, pictures + missing, folds=folds)


def first_rows(keys):
    """Groups of pictures with equal keys, each named by its first row."""
    _, first, key = np.unique(keys, return_index=True, return_inverse=True)
    return first[key]


def grouped(labels, keys, *, folds, seed=0, **options):
    options |= {"classes": ("cat", "dog"), "seed": seed, "groups": first_rows(keys)}
    found = cut(labels, ARTICLE, folds=folds, **options)
    assert np.array_equal(found, found[options["groups"]])
    return [np.bincount(found[labels == label], minlength=max(folds, 3)) for label in (0, 1)]


LABELS = np.repeat([0, 1], 400)
ALONE = np.arange(800)
KINDS = {
    "copies of 139": np.where(ALONE % 400 < 278, ALONE // 2, 1_000 + ALONE),
    "four of each": ALONE // 4,
    "patients with both": np.random.default_rng(0).integers(0, 90, 800),
    "of uneven size": ALONE - ALONE % np.random.default_rng(0).choice([1, 2, 8, 20], 800),
}


@pytest.mark.parametrize("folds", [1, 3, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_groups_lie_in_one_part_and_parts_keep_their_share(kind, folds):
    """As even as scikit-learn's StratifiedGroupKFold or more so, in every class."""
    found = grouped(LABELS, KINDS[kind], folds=folds)
    shares = np.array([0.1, 0.1, 0.8]) if folds == 1 else np.full(folds, 1 / folds)
    assert max(np.abs(sizes - shares * 400).max() for sizes in found) <= 4
    if folds > 1:
        theirs = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
        tested = [test for _, test in theirs.split(LABELS, LABELS, KINDS[kind])]
        of_them = [[(LABELS[rows] == label).sum() for rows in tested] for label in (0, 1)]
        assert np.std(found, axis=1).sum() <= np.std(of_them, axis=1).sum() + 1
    assert np.array_equal(found, grouped(LABELS, KINDS[kind], folds=folds))


@given(st.sampled_from([1, 3, 5]), st.integers(20, 80), st.integers(1, 40), st.booleans(), SEEDS)
def test_groups_are_refused_only_if_a_class_has_too_few(folds, pictures, kinds, apart, seed):
    """Else every part has one of each class, the tested one of a single fold two."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(2 * pictures) % 2)
    groups = first_rows(rng.integers(0, kinds, 2 * pictures) + 100 * labels * apart)
    of_class = [groups[labels == label] for label in (0, 1)]
    options = {"folds": folds, "classes": ("cat", "dog"), "seed": seed, "groups": groups}
    if min(len(set(rows)) for rows in of_class) < (folds if folds > 1 else 4):
        with pytest.raises(InputError, match=r"groups?, too few for folds"):
            cut(labels, ARTICLE, **options)
        return
    found = cut(labels, ARTICLE, **options)
    for rows in of_class:
        whole = np.unique(rows)
        assert np.bincount(found[whole], minlength=max(folds, 3)).min() >= 1
        assert folds > 1 or (found[whole] == 0).sum() >= 2
    assert np.array_equal(found, found[groups])


def test_groups_of_one_picture_are_none_and_a_large_one_makes_the_others_smaller():
    """The split is the one without any, to the bit; parts share what a group above one leaves."""
    for folds in (1, 10):
        options = {"folds": folds, "classes": ("cat", "dog"), "seed": 3}
        found = cut(LABELS, ARTICLE, **options, groups=ALONE)
        assert np.array_equal(found, cut(LABELS, ARTICLE, **options))
    of_cats, of_dogs = grouped(LABELS, np.where(ALONE < 130, 0, ALONE), folds=10)
    assert sorted(of_cats) == [30] * 9 + [130]
    assert sorted(of_dogs) == [40] * 10
    test, validation, train = grouped(LABELS, np.where(ALONE < 130, 0, ALONE), folds=1)[0]
    assert (test, validation, train) == (40, 40, 320)


@pytest.mark.parametrize(
    ("keys", "folds", "message"),
    [
        (
            ALONE // 100,
            10,
            "class cat: .* in 4 groups, too few for folds: 10; there can be folds: 4",
        ),
        (np.where(ALONE < 400, ALONE, 400), 3, "class dog: .* in 1 group, .* must be more groups"),
        (ALONE // 200, 1, "class cat: .* in 2 groups, too few for folds: 1; there must be more"),
    ],
)
def test_a_class_can_have_too_few_groups(keys, folds, message):
    """The message has the folds that there can be, and a way out of the caller's."""
    with pytest.raises(InputError, match=f"{message}.*; or wait$"):
        grouped(LABELS, keys, folds=folds, hint="; or wait")
