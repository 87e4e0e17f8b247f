"""The Gram matrix of the pictures, exact: the same bits on every machine, with any thread count.

Bytes centred by 128 are integers of at most 128, so a product of two pictures over 1,024 pixels is
an integer of at most 2**24 and float32 holds every partial sum exactly, in whatever order a BLAS
adds. float64 then adds the blocks, exactly too. Normalisation enters afterwards, in float64:
<a u + o, a v + o> = a**2 <u, v> + a o (sum u + sum v) + n o**2 per channel.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from shallowdeep.files.cores import available_cores
from shallowdeep.files.progress import Progress
from shallowdeep.pictures.int8 import Product, quick_product
from shallowdeep.prepared.normalisation import Normalisation

EXACT_PIXELS = 1_024  # 128 * 128 * 1,024 = 2**24, the last integer up to which float32 has no gaps
TILE = 512  # pictures at most, and
TILE_PIXELS = 2**23  # of one channel, 32 MiB in float32: 512 pictures of 128 x 128


def gram(
    pictures: NDArray[np.uint8],
    normalisation: Normalisation,
    *,
    out: NDArray[np.floating[Any]],
) -> None:
    """Multiply all pictures with each other, after normalisation.

    Args:
        pictures: uint8 [N, 3, S, S], in memory or memory-mapped.
        normalisation: from bytes to the inputs of a network.
        out: floating point [N, N], overwritten: ``out[i, j] = <x_i, x_j>``, each the float64
            value, rounded once where `out` is float32.
    """
    channels = pictures.reshape(len(pictures), 3, -1)
    size = max(1, min(TILE, TILE_PIXELS // channels.shape[2]))
    starts = range(0, len(pictures), size)
    product = quick_product() or _in_floats

    def one(row: int, column: int) -> None:
        rows, columns = slice(row, row + size), slice(column, column + size)
        tile = _tile(channels[rows], channels[columns], normalisation, product)
        out[rows, columns] = tile
        if row != column:  # the other half is its mirror
            out[columns, rows] = tile.T

    # A thread a tile: BLAS's own threads, waiting for each other, took six times as long on a busy
    # machine. NumPy's BLAS does not hold the interpreter's lock.
    cores = available_cores()
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(cores) as pool:
        tiles = [pool.submit(one, i, j) for j in starts for i in starts if i >= j]
        try:
            with Progress("Gram matrix", len(tiles), unit="tiles") as progress:
                for tile in tiles:
                    tile.result()
                    progress.advance()
        finally:
            pool.shutdown(cancel_futures=True)  # Ctrl-C does not wait for minutes of tiles


def write(folder: Path, normalisation: Normalisation) -> None:
    """Write gram.npy of a folder's pictures.npy, tile by tile."""
    pictures = np.load(folder / "pictures.npy", mmap_mode="r")
    shape = (len(pictures), len(pictures))
    matrix = np.lib.format.open_memmap(folder / "gram.npy", "w+", np.float32, shape)
    if hasattr(os, "posix_fallocate"):  # macOS has none; a map on a full disk ends the process
        with (folder / "gram.npy").open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, matrix.offset + matrix.nbytes)
    gram(pictures, normalisation, out=matrix)
    matrix.flush()


def _tile(
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
    normalisation: Normalisation,
    product: Product,
) -> NDArray[np.float64]:
    """Multiply pictures uint8 [n, 3, P] and uint8 [m, 3, P]: float64 [n, m]."""
    total = np.zeros((len(left), len(right)))
    for channel, (slope, intercept) in enumerate(zip(*normalisation.line(), strict=True)):
        offset = intercept + 128 * slope  # input = slope * (byte - 128) + offset
        u, v = left[:, channel], right[:, channel]
        pixels = u.shape[1]
        sums = u.sum(1, dtype=np.int64)[:, None] + v.sum(1, dtype=np.int64) - 2 * 128 * pixels
        total += slope * slope * product(u, v)
        total += slope * offset * sums
        total += pixels * offset * offset
    return total


def _in_floats(u: NDArray[np.uint8], v: NDArray[np.uint8]) -> NDArray[np.float64]:
    return centred_product(*(np.subtract(side, 128, dtype=np.float32) for side in (u, v)))


def centred_product(u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.float64]:
    """Multiply the rows of `u` [n, P] and of `v` [m, P] exactly, integers in -128 .. 127.

    Returns:
        float64 [n, m], exact up to 2**39 pixels.
    """
    product = np.zeros((len(u), len(v)))
    for start in range(0, u.shape[1], EXACT_PIXELS):
        block = slice(start, start + EXACT_PIXELS)
        product += u[:, block] @ v[:, block].T
    return product
