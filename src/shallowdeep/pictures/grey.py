"""Grey values of more than eight bits, as bytes."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 2**20  # values at a time, since float64 takes eight bytes for each
WHITES = (1.0, 255.0, 65_535.0)  # that floating point is stored with


class Levels(NamedTuple):
    """Which values show black and white; what is beyond shows as they do."""

    black: float
    white: float


SIXTEEN_BITS = Levels(0, 65_535)


def as_bytes(
    values: NDArray[np.generic], levels: Levels, *, transparent: int | None = None
) -> NDArray[np.uint8]:
    """Grey values as bytes; what is no number shows black, the transparent value white.

    Args:
        values: whole numbers or floating point [H, W].
        levels: what is black, and what is white.
        transparent: a value that stands for no ink.
    """
    grey = np.empty(values.shape, dtype=np.uint8)
    scale = 255 / (levels.white - levels.black)
    for rows in _blocks(values):
        block = values[rows].astype(np.float64)
        shown = np.rint((block - levels.black) * scale)
        grey[rows] = np.clip(np.nan_to_num(shown, posinf=255, neginf=0), 0, 255)
        if transparent is not None:
            grey[rows][block == transparent] = 255
    return grey


def white_of(values: NDArray[np.floating]) -> float:
    """The white that floating point values were stored with: most of what is not black lies below.

    A highlight above white, or one infinite value, does not decide for all others.
    """
    counts = np.zeros(1 + len(WHITES), dtype=np.int64)
    for rows in _blocks(values):
        block = values[rows][np.isfinite(values[rows])]
        counts += [int((block > limit).sum()) for limit in (0, *WHITES)]
    most = [
        white for white, above in zip(WHITES, counts[1:], strict=True) if 2 * above <= counts[0]
    ]
    return most[0] if most else WHITES[-1]


def _blocks(values: NDArray[np.generic]) -> Iterator[slice]:
    height, width = values.shape
    step = max(BLOCK // width, 1)
    return (slice(start, start + step) for start in range(0, height, step))
