"""Near-duplicates: copies of a picture in another size or compression, or mirrored.

Equal pictures count as one already. A thumbnail or a file saved anew is not equal; in another fold
than its original it is a test picture that was trained on.

Pictures are compared as 16 x 16 means of each channel, by their distance in units of their own
contrast. Of 150 photographs copies of a quarter of the size, or of JPEG quality 30, lay below 0.2
from the original; of all pairs of 2,000 photographs the nearest that show different things are 0.52
apart, of 1,000 drawn pictures 0.62.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shallowdeep.files.progress import Progress
from shallowdeep.pictures.gram import centred_product
from shallowdeep.pictures.groups import merged
from shallowdeep.prepared.data_report import LeftOut
from shallowdeep.prepared.folds import Groups

GRID = 16  # means along each side
LEAST = 8  # pixels along a side; below, different pictures look alike
NEAR = 0.2
ROUNDING = 64  # above float32's error in a squared distance along a few unit vectors
TILE, BLOCK = 2_048, 16  # pictures that are compared, and reduced to means, at a time
FEW = 4_096  # pairs of a tile are compared one by one; of more, all of their rows at once

MIRRORED, ACROSS, APART = "mirrored copy of", ", which is in the other class", ", not kept with it"


class Copies(NamedTuple):
    """Groups of pictures that are copies of each other."""

    near: Groups  # in another size or compression
    all: Groups  # these, and mirrored


def reduced(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return each picture's means over a grid, less 128: whole numbers [N, 3 * GRID * GRID].

    Args:
        pictures: uint8 [N, 3, S, S], in memory or memory-mapped; all alike if S is below LEAST.
    """
    if not len(pictures) or pictures.shape[-1] < LEAST:
        return np.zeros((len(pictures), 3), np.float32)
    with Progress("looking for near-duplicates", len(pictures), unit="pictures") as progress:
        return np.concatenate([*_means(pictures, progress.advance)])


def copies(means: NDArray[np.float32]) -> Copies:
    """Group pictures with their copies, transitively.

    Computed in whole numbers, so the same on every machine.

    Args:
        means: as `reduced` returns them.
    """
    side = round((means.shape[1] / 3) ** 0.5)
    columns = np.arange(means.shape[1])
    mirrored = columns.reshape(3, side, side)[..., ::-1].ravel()
    near = _grouped(np.arange(len(means)), _near_pairs(means, columns))
    return Copies(near, _grouped(near, _near_pairs(means, mirrored)))


def described(manifest: pd.DataFrame, found: Copies) -> list[LeftOut]:
    """List the copies with the first of their group; they stay in the array.

    Args:
        manifest: a row for each picture.
        found: copies among them.
    """
    paths, labels, groups = (manifest[key].to_list() for key in ("path", "label", "group"))
    listed = []
    for row, (near, first) in enumerate(zip(*(one.tolist() for one in found), strict=True)):
        if row != first:
            kind, of = (MIRRORED, first) if near == row else ("near-duplicate of", near)
            across = ACROSS * (labels[row] != labels[of])
            apart = APART * (groups[row] != groups[of])
            listed.append(LeftOut(paths[row], f"{kind} {paths[of]}{across}{apart}"))
    return listed


def warnings(described: Sequence[LeftOut]) -> list[str]:
    """Return lines on copies in the other class, and on copies that are not kept together."""
    ignored = "are not kept together (data.near_duplicates: ignore)"
    lines = []
    for ending, what in ((ACROSS, "lie in both classes"), (APART, ignored)):
        if found := [one for one in described if ending in one.reason]:
            path, reason = found[0]
            lines.append(f"{len(found):,} near-duplicates {what}, first {path}: {reason}")
    return lines


def _grouped(found: Groups, tiles: Iterable[NDArray[np.int64]]) -> Groups:
    """Merge groups by pairs of their members, tile by tile: memory for N pairs is enough."""
    pairs: list[NDArray[np.int64]] = []
    count = 0
    for some in tiles:
        pairs.append(some)
        count += some.shape[1]
        if count > len(found):
            found, pairs, count = merged(found, *pairs), [], 0
    return merged(found, *pairs)


def _means(
    pictures: NDArray[np.uint8], advance: Callable[[int], None]
) -> Iterator[NDArray[np.float32]]:
    """Yield means over a grid, rounded and less 128: whole numbers [n, 3 * GRID * GRID].

    A pixel on the border of two cells counts for both in parts, so that a mirrored picture has the
    same means.
    """
    side = pictures.shape[-1]
    grid = min(GRID, side)
    pixels, cells = np.arange(side + 1) * grid, np.arange(grid + 1) * side
    shared = np.minimum(pixels[1:, None], cells[1:]) - np.maximum(pixels[:-1, None], cells[:-1])
    unit = math.gcd(side, grid)
    area = (side // unit) ** 2
    exact = np.float32 if 255 * area < 2**24 else np.float64
    covers = (np.maximum(shared, 0) // unit).astype(exact)  # [side, grid]
    for start in range(0, len(pictures), BLOCK):
        sums = covers.T @ (pictures[start : start + BLOCK].astype(exact) @ covers)
        means = (sums + area // 2) // area - 128
        yield means.reshape(len(means), -1).astype(np.float32)
        advance(len(means))


def _near_pairs(
    means: NDArray[np.float32], reading: NDArray[np.intp]
) -> Iterator[NDArray[np.int64]]:
    """Yield rows of near-duplicates in pairs [2, n], tile by tile.

    The second picture's means are read in the order of `reading`, which may mirror it.

    Two pictures are at least as far apart as their projections on a few unit vectors. So those of
    about the same brightness are compared along eight vectors first, the rest by all means.
    """
    squares = np.einsum("ij,ij->i", means, means, dtype=np.float64)
    sums = means.sum(1, dtype=np.float64)
    contrasts = np.sqrt(squares - sums**2 / means.shape[1])
    with threadpool_limits(1, "blas"):
        waves = _waves(round((means.shape[1] / 3) ** 0.5))
        along, others = means @ waves.T, means @ waves[:, reading].T
        order = np.argsort(along[:, 0], kind="stable")
        order = order[contrasts[order] > 0]
        along, others, far = (
            along[order],
            others[order],
            (NEAR * contrasts[order]).astype(np.float32),
        )
        # Of two near ones, one has at most 1.23 times the contrast of the other.
        lowest = np.searchsorted(along[:, 0], along[:, 0] - 1.12 * far - 1)
        # Squared distance less the limit, as a product of these two.
        lengths, ones = np.einsum("ij,ij->i", along, along), np.ones(len(along), np.float32)
        left = np.column_stack([-2 * along, lengths, ones, -1.01 * far])
        right = np.column_stack([others, ones, lengths, far])
        tiles = [
            (slice(top, top + TILE), slice(start, start + TILE))
            for top in range(0, len(order), TILE)
            for start in range(lowest[top : top + TILE].min(), min(top + TILE, len(order)), TILE)
        ]
        with Progress("comparing pictures", len(tiles), unit="tiles") as progress:
            for rows, columns in tiles:
                progress.advance()
                maybe = left[rows] @ right[columns].T <= ROUNDING
                if np.count_nonzero(maybe) > FEW:
                    one = order[rows][maybe.any(1)][:, None]
                    other = order[columns][maybe.any(0)]
                    products = centred_product(means[one[:, 0]], means[other][:, reading])
                else:
                    i, j = np.nonzero(maybe)
                    one, other = order[rows][i], order[columns][j]
                    pair = means[one], means[other][:, reading]
                    products = np.einsum("ij,ij->i", *pair, dtype=np.float64)
                apart = squares[one] + squares[other] - 2 * products
                near = apart <= NEAR**2 * contrasts[one] * contrasts[other]
                near &= one != other
                if near.any():
                    yield np.stack([rows[near] for rows in np.broadcast_arrays(one, other)])


def _waves(grid: int) -> NDArray[np.float32]:
    """Return the longest waves of a cosine transform, two of colour: unit vectors [8, D]."""
    cells = (np.arange(grid) + 0.5) / grid
    along = np.cos(np.pi * np.outer(np.arange(3), cells))
    colours = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]])
    lowest = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 0, 2)]
    lowest += [(0, 2, 0), (0, 1, 1), (1, 0, 0), (2, 0, 0)]
    waves = [np.einsum("c,y,x", colours[c], along[y], along[x]).ravel() for c, y, x in lowest]
    return np.stack([wave / np.linalg.norm(wave) for wave in waves]).astype(np.float32)
