"""Which pictures each fold trains on, which it validates on, which it tests on.

Every class is cut into parts. Fold k tests part k, validates on part k + 1, the last fold on part
0, and trains on all others. A single fold has three parts of any size: part 0 is tested, part 1
validates, part 2 trains. So fold 0 of ten is the single split of 80/10/10.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError
from shallowdeep.settings.params import Split, fractions

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)

Rows = NDArray[np.intp]
Parts = NDArray[np.int64]


class Fold(NamedTuple):
    """Rows of the pictures that a fold uses, ascending."""

    train: Rows
    validation: Rows
    test: Rows


def cut(
    labels: NDArray[np.int64], single: Split, *, folds: int, classes: Sequence[str], seed: int
) -> Parts:
    """Cut pictures into parts so that each has its share of every class, to one picture.

    A class's pictures are shuffled by a generator seeded with the seed and the class's number, so
    that a picture added to one class leaves the other's parts as they were.

    Args:
        labels: class of each picture [N].
        single: how much of each class goes where if there is one fold.
        folds: how many there are, 1 or at least 3.
        classes: their names, for messages.
        seed: of the shuffling.

    Returns:
        The part of each picture [N].

    Raises:
        InputError: a class has too few pictures for two in every part, as intervals need.
    """
    parts = np.empty(len(labels), dtype=np.int64)
    for label, name in enumerate(classes):
        rows = np.flatnonzero(labels == label)
        sizes = _sizes(name, len(rows), single, folds=folds)
        shuffled = np.random.default_rng([seed, label]).permutation(rows)[::-1]
        for part, these in enumerate(np.split(shuffled, np.cumsum(sizes)[:-1])):
            parts[these] = part
    return parts


def check_enough(
    labels: NDArray[np.int64], single: Split, *, folds: int, classes: Sequence[str]
) -> None:
    """Refuse classes that would be too small if every file were a picture.

    Raises:
        InputError: as `cut`.
    """
    for label, name in enumerate(classes):
        _sizes(name, int((labels == label).sum()), single, folds=folds)


def fold(parts: Parts, number: int, *, folds: int) -> Fold:
    """The rows of fold `number` of all `folds`, by the part of each picture [N]."""
    test = parts == number
    validation = parts == (number + 1) % max(folds, 2)
    return Fold(*(np.flatnonzero(mask) for mask in (~test & ~validation, validation, test)))


def _sizes(name: str, pictures: int, single: Split, *, folds: int) -> list[int]:
    """How many pictures of a class each part has."""
    train, validation, test = _counts(pictures, fractions(folds, single))
    sizes = [test, validation, *_evenly(train, max(folds - 2, 1))]
    if min(sizes) < 2:
        raise InputError(_too_few(name, pictures, folds, (train, validation, test)))
    return sizes


def _too_few(name: str, pictures: int, folds: int, counts: Sequence[int]) -> str:
    if folds == 1:
        wanted = ", ".join(f"{n} {split}" for n, split in zip(counts, SPLITS, strict=True))
        return (
            f"data: class {name}: {pictures} usable pictures are too few to split ({wanted});"
            " every split needs two"
        )
    return (
        f"data: class {name}: {pictures} usable pictures are too few for folds: {folds}, which"
        f" need two each to test: {2 * folds - pictures} more, or fewer folds"
    )


def _evenly(pictures: int, parts: int) -> list[int]:
    """Whole numbers that add up, the first ones larger by one where they must be."""
    return [(pictures + parts - 1 - part) // parts for part in range(parts)]


def _counts(pictures: int, shares: Split) -> list[int]:
    """Whole numbers nearest to the fractions that add up: the largest remainders are rounded up."""
    exact = [pictures * getattr(shares, name) for name in SPLITS]
    counts = [math.floor(number + 1e-9) for number in exact]
    by_remainder = sorted(range(3), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: pictures - sum(counts)]:
        counts[i] += 1
    return counts
