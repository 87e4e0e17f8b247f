"""Which pictures are for training, which for validation, which for the test."""

import math
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError
from shallowdeep.settings.params import Split

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)


def stratified(
    labels: NDArray[np.int64], fractions: Split, *, classes: Sequence[str], seed: int
) -> list[SplitName]:
    """Split pictures so that every class has the same share of each split, to one picture.

    A class's pictures are shuffled by a generator seeded with the seed and the class's number, so
    that a picture added to one class leaves the other's split as it was.

    Args:
        labels: class of each picture [N].
        fractions: how much of each class goes where.
        classes: their names, for messages.
        seed: of the shuffling.

    Returns:
        The split of each picture.

    Raises:
        InputError: a class has too few pictures for two in every split, as intervals need.
    """
    splits = np.empty(len(labels), dtype=object)
    for label, name in enumerate(classes):
        rows = np.flatnonzero(labels == label)
        counts = _counts(len(rows), fractions)
        if min(counts) < 2:
            wanted = ", ".join(f"{n} {split}" for n, split in zip(counts, SPLITS, strict=True))
            raise InputError(
                f"data: class {name}: {len(rows)} usable pictures are too few to split ({wanted});"
                " every split needs two"
            )
        shuffled = np.random.default_rng([seed, label]).permutation(rows)
        for split, part in zip(SPLITS, np.split(shuffled, np.cumsum(counts)[:-1]), strict=True):
            splits[part] = split
    return list(splits)


def _counts(pictures: int, fractions: Split) -> list[int]:
    """Whole numbers nearest to the fractions that add up: the largest remainders are rounded up."""
    exact = [pictures * getattr(fractions, name) for name in SPLITS]
    counts = [math.floor(number + 1e-9) for number in exact]
    by_remainder = sorted(range(3), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: pictures - sum(counts)]:
        counts[i] += 1
    return counts
