"""Folds: which pictures train, which validate, which are tested.

Every class is cut into parts. Fold k tests part k, validates on part k + 1, the last fold on part
0, and trains on all others. A single fold has three parts of any size: part 0 is tested, part 1
validates, part 2 trains.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)

Rows = NDArray[np.intp]
Parts = NDArray[np.int64]
Groups = NDArray[np.int64]  # for each picture the first row of its group, its own if alone [N]


class Fold(NamedTuple):
    """Rows of the pictures that a fold uses, ascending."""

    train: Rows
    validation: Rows
    test: Rows


def fold(parts: Parts, number: int, *, folds: int) -> Fold:
    """Return the rows of fold `number` of all `folds`, from the part of each picture [N]."""
    test = parts == number
    validation = parts == (number + 1) % max(folds, 2)
    return Fold(*(np.flatnonzero(mask) for mask in (~test & ~validation, validation, test)))
