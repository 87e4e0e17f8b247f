"""Folds: which pictures train, which validate, which are tested.

Every class is cut into parts. Fold k tests part k, validates on part k + 1, the last fold on part
0, and trains on all others. A single fold has three parts of any size: part 0 is tested, part 1
validates, part 2 trains.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError

SplitName = Literal["train", "validation", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)
LEAST = 2  # training pictures of each class

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


def shared(train: Rows, labels: NDArray[np.int64], share: float, *, seed: int, number: int) -> Rows:
    """Return a share of the training pictures of fold `number`, drawn class by class.

    Of two shares the smaller one's pictures are among the larger one's.

    Args:
        train: rows of the fold's training pictures, ascending.
        labels: class of every picture [N].
        share: above 0, at most 1.
        seed: of params.yaml.
        number: of the fold, each of which draws by itself.

    Raises:
        InputError: fewer than LEAST of a class are left.
    """
    if share == 1:
        return train
    rng, kept = np.random.default_rng([seed, number, 0, 1]), []
    for label in np.unique(labels):
        drawn = rng.permutation(train[labels[train] == label])
        count = round(share * len(drawn))
        if count < LEAST:
            raise InputError(
                f"params.yaml: share: {share:g} leaves {count} of {len(drawn)} training pictures of"
                f" a class in fold {number}; at least {LEAST} are needed"
            )
        kept.append(drawn[:count])
    return np.sort(np.concatenate(kept))
