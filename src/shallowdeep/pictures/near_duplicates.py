"""Near-duplicates: copies of a picture in another size or compression.

Equal pictures count as one already. A thumbnail or a file saved anew is not equal; in another fold
than its original it is a test picture that was trained on.

Pictures are compared as 16 x 16 means of each channel, by their distance in units of their own
contrast. Of 150 photographs copies of a quarter of the size, or of JPEG quality 30, lay below 0.2
from the original; of all pairs of 2,000 photographs the nearest that show different things are 0.52
apart, of 1,000 drawn pictures 0.62.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shallowdeep.files.progress import Progress
from shallowdeep.pictures.gram import centred_product
from shallowdeep.prepared.data_report import LeftOut
from shallowdeep.prepared.folds import Groups

GRID = 16  # means along each side
LEAST = 8  # pixels along a side; below, different pictures look alike
NEAR = 0.2
ROUNDING = 64  # above float32's error in a squared distance along a few unit vectors
TILE, BLOCK = 2_048, 16  # pictures that are compared, and reduced to means, at a time
FEW = 4_096  # pairs of a tile are compared one by one; of more, all of their rows at once

ACROSS, APART = ", which is in the other class", ", and in another fold: there are too many"


def groups(pictures: NDArray[np.uint8]) -> Groups:
    """Group pictures with their near-duplicates, transitively.

    Computed in whole numbers, so the same on every machine.

    Args:
        pictures: uint8 [N, 3, S, S], in memory or memory-mapped.
    """
    found = np.arange(len(pictures))
    if len(pictures) and pictures.shape[-1] >= LEAST:
        with Progress("looking for near-duplicates", len(pictures), unit="pictures") as progress:
            means = np.concatenate([*_means(pictures, progress.advance)])
        pairs: list[NDArray[np.int64]] = []  # [2, n]
        count = 0
        for some in _near_pairs(means):
            pairs.append(some)
            count += some.shape[1]
            if count > len(pictures):
                found, pairs, count = _joined(found, pairs), [], 0
        found = _joined(found, pairs)
    return found


def described(manifest: pd.DataFrame, near: Groups) -> list[LeftOut]:
    """List the near-duplicates with the first of their group; they stay in the array.

    Args:
        manifest: a row for each picture.
        near: their groups [N].
    """
    paths, labels, parts = (manifest[key].to_list() for key in ("path", "label", "fold"))
    return [
        LeftOut(
            paths[row],
            f"near-duplicate of {paths[first]}"
            + (ACROSS if labels[row] != labels[first] else "")
            + (APART if parts[row] != parts[first] else ""),
        )
        for row, first in enumerate(near.tolist())
        if row != first
    ]


def warnings(alike: Sequence[LeftOut]) -> list[str]:
    """Return lines on near-duplicates across classes and on groups that exceed a fold."""
    lines = []
    for ending, what in ((ACROSS, "lie in both classes"), (APART, "are too many for one fold")):
        if found := [one for one in alike if ending in one.reason]:
            path, reason = found[0]
            lines.append(f"{len(found):,} near-duplicates {what}, first {path}: {reason}")
    return lines


def _means(
    pictures: NDArray[np.uint8], advance: Callable[[int], None]
) -> Iterator[NDArray[np.float32]]:
    """Yield means over a grid, rounded and less 128: whole numbers [n, 3 * GRID * GRID]."""
    side = pictures.shape[-1]
    grid = min(GRID, side)
    cells = np.arange(side) * grid // side
    covers = (cells[:, None] == np.arange(grid)).astype(np.float32)  # [side, grid]
    areas = np.outer(covers.sum(0), covers.sum(0))
    for start in range(0, len(pictures), BLOCK):
        block = pictures[start : start + BLOCK].astype(np.float32)
        sums = covers.T @ (block @ covers)  # exact: below 2**24
        means = (sums + areas // 2) // areas - 128
        yield means.reshape(len(means), -1)
        advance(len(means))


def _near_pairs(means: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
    """Yield rows of near-duplicates in pairs [2, n], tile by tile.

    Two pictures are at least as far apart as their projections on a few unit vectors. So those of
    about the same brightness are compared along eight vectors first, the rest by all means.
    """
    squares = np.einsum("ij,ij->i", means, means, dtype=np.float64)
    sums = means.sum(1, dtype=np.float64)
    contrasts = np.sqrt(squares - sums**2 / means.shape[1])
    with threadpool_limits(1, "blas"):
        along = means @ _waves(round((means.shape[1] / 3) ** 0.5)).T
        order = np.argsort(along[:, 0], kind="stable")
        order = order[contrasts[order] > 0]
        along, far = along[order], (NEAR * contrasts[order]).astype(np.float32)
        # Of two near ones, one has at most 1.23 times the contrast of the other.
        lowest = np.searchsorted(along[:, 0], along[:, 0] - 1.12 * far - 1)
        # Squared distance less the limit, as a product of these two.
        lengths, ones = np.einsum("ij,ij->i", along, along), np.ones(len(along), np.float32)
        left = np.column_stack([-2 * along, lengths, ones, -1.01 * far])
        right = np.column_stack([along, ones, lengths, far])
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
                    products = centred_product(means[one[:, 0]], means[other])
                else:
                    i, j = np.nonzero(maybe)
                    one, other = order[rows][i], order[columns][j]
                    products = np.einsum("ij,ij->i", means[one], means[other], dtype=np.float64)
                apart = squares[one] + squares[other] - 2 * products
                near = apart <= NEAR**2 * contrasts[one] * contrasts[other]
                near &= one != other
                if near.any():
                    pair = np.broadcast_arrays(one, other)
                    yield np.stack([which[near] for which in pair])


def _waves(grid: int) -> NDArray[np.float32]:
    """Return the longest waves of a cosine transform, two of colour: unit vectors [8, D]."""
    cells = (np.arange(grid) + 0.5) / grid
    along = np.cos(np.pi * np.outer(np.arange(3), cells))
    colours = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]])
    lowest = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 0, 2)]
    lowest += [(0, 2, 0), (0, 1, 1), (1, 0, 0), (2, 0, 0)]
    waves = [np.einsum("c,y,x", colours[c], along[y], along[x]).ravel() for c, y, x in lowest]
    return np.stack([wave / np.linalg.norm(wave) for wave in waves]).astype(np.float32)


def _joined(near: Groups, pairs: Sequence[NDArray[np.int64]]) -> Groups:
    """Merge groups by pairs [2, n] of their members."""
    if not pairs:
        return near
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(near)
    starts, ends = np.hstack([*pairs, np.stack([np.arange(count), near])])
    graph = coo_array((np.ones(len(starts), dtype=bool), (starts, ends)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    return np.asarray(first[labels], dtype=np.int64)
