"""Mean and standard deviation of red, green and blue, measured on pictures."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.settings.params import Data

BLOCK = 64  # pictures


def normalisation(array: Path, train: NDArray[np.intp], data: Data) -> Normalisation:
    """Return mean and standard deviation of params.yaml, or those of the training pictures.

    Args:
        array: file with the pictures, uint8 [N, 3, S, S].
        train: row of each training picture.
        data: has both; `train` in place of numbers asks for the measured ones.

    Raises:
        InputError: the standard deviation is to be measured and a channel does not vary.
    """
    mean, std = data.mean, data.std
    if mean == "train" or std == "train":
        measured = mean_and_std(array, train)
        mean = measured.mean if mean == "train" else mean
        std = measured.std if std == "train" else std
    if min(std) == 0:
        raise InputError("data.std: train: a channel has the same value in every training picture")
    return Normalisation(mean, std)


def mean_and_std(array: Path, rows: NDArray[np.intp]) -> Normalisation:
    """Measure mean and standard deviation of `pixel / 255` over some pictures of an array.

    From exact sums of integers, so the same on every machine.
    """
    totals, squares, n = np.zeros(3, np.int64), np.zeros(3, np.int64), 0
    for start in range(0, len(rows), BLOCK):
        pictures = np.load(array, mmap_mode="r")  # again: mapped pages count as memory
        block = pictures[rows[start : start + BLOCK]]
        totals += block.sum((0, 2, 3), dtype=np.int64)
        squares += np.einsum("ncyx,ncyx->c", block, block, dtype=np.int64)
        n += block.size // 3
    sums = [*zip(totals.tolist(), squares.tolist(), strict=True)]  # Python's integers: of any size
    red, green, blue = (
        (total / n / 255, math.sqrt(square * n - total**2) / n / 255) for total, square in sums
    )
    return Normalisation(*zip(red, green, blue, strict=True))
