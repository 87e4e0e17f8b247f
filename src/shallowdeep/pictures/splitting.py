"""The split: cut pictures into the parts of the folds.

Every class is cut into as many parts as there are folds; a single fold has three parts of any size
(`prepared.folds` gives their roles). So fold 0 of ten is the single split of 80/10/10.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.folds import SPLITS, Groups, Parts
from shallowdeep.settings.params import Split, fractions


def cut(
    labels: NDArray[np.int64], single: Split, *, folds: int, classes: Sequence[str], seed: int
) -> Parts:
    """Cut pictures into parts so that each has its share of every class, to one picture.

    A class's pictures are shuffled by a generator seeded with the seed and the class's number, so
    that a picture added to one class leaves the other's parts as they were.

    Args:
        labels: class of each picture [N].
        single: shares of each class if there is one fold.
        folds: number of folds, 1 or at least 3.
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
    """Refuse classes that are too small even if every file is a picture.

    Raises:
        InputError: as `cut`.
    """
    for label, name in enumerate(classes):
        _sizes(name, int((labels == label).sum()), single, folds=folds)


def keep_together(parts: Parts, labels: NDArray[np.int64], near: Groups, *, seed: int) -> Parts:
    """Move near-duplicates into one part, that of the first of their group if it has room.

    Each changes places with a picture of its class that has no near-duplicate, so all parts keep
    their sizes. If a group fits into no part, its members without such a partner stay.

    Args:
        parts: the part of each picture [N].
        labels: class of each picture [N].
        near: their groups [N].
        seed: of the order in which pictures are taken to change places.
    """
    parts = parts.copy()
    sizes = np.bincount(near, minlength=len(near))
    order = np.random.default_rng([seed, 2]).permutation(len(parts))
    alone = order[sizes[near[order]] == 1]

    def change_places(row: int, part: int) -> bool:
        free = alone[(parts[alone] == part) & (labels[alone] == labels[row])]
        if len(free):
            parts[[row, free[0]]] = part, parts[row]
        return len(free) > 0

    for first in sorted(np.flatnonzero(sizes > 1), key=lambda row: (-sizes[row], row)):
        rows = np.flatnonzero(near == first).tolist()
        before = parts.copy()
        for part in dict.fromkeys([*parts[rows].tolist(), *np.unique(parts).tolist()]):
            if all(change_places(row, part) for row in rows if parts[row] != part):
                break
            parts[:] = before
        else:
            for row in rows:
                if parts[row] != parts[first]:
                    change_places(row, parts[first])
    return parts


def _sizes(name: str, pictures: int, single: Split, *, folds: int) -> list[int]:
    """Return the number of pictures of a class in each part."""
    train, validation, test = counts = _rounded(pictures, fractions(folds, single))
    parts = max(folds - 2, 1)  # that fold 0 trains on, the first ones larger by one if need be
    evenly = [(train + parts - 1 - part) // parts for part in range(parts)]
    if min(test, validation, *evenly) >= 2:
        return [test, validation, *evenly]
    problem = f"data: class {name}: {pictures} usable pictures are too few"
    if folds == 1:
        wanted = ", ".join(f"{n} {split}" for n, split in zip(counts, SPLITS, strict=True))
        raise InputError(f"{problem} to split ({wanted}); every split needs two")
    raise InputError(
        f"{problem} for folds: {folds}, which need two each to test: {2 * folds - pictures} more,"
        " or fewer folds"
    )


def _rounded(pictures: int, shares: Split) -> list[int]:
    """Round the shares to whole numbers that add up; the largest remainders are rounded up."""
    exact = [pictures * getattr(shares, name) for name in SPLITS]
    counts = [math.floor(number + 1e-9) for number in exact]
    by_remainder = sorted(range(3), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: pictures - sum(counts)]:
        counts[i] += 1
    return counts
