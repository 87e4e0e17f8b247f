"""Decode many pictures at once, in order, in bounded memory."""

import csv
import hashlib
import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from shallowdeep.errors import InputError, one_line
from shallowdeep.params import Channels, Data
from shallowdeep.picture_folder import Found
from shallowdeep.pictures import JpegDecoder, Picture, Unusable, decode, quiet

_T, _U = TypeVar("_T"), TypeVar("_U")

# From here on torchvision's decoder earns back the 2 s of its import (0.4 ms a picture and core).
MANY = 10_000


class Accepted(NamedTuple):
    """A picture that is in the array; its row is its position among the accepted."""

    found: Found
    sha256: str
    width: int
    height: int


class Rejected(NamedTuple):
    """One row of rejected.csv."""

    path: str
    reason: str


def decode_all(
    folder: Path, files: list[Found], data: Data, array: Path
) -> tuple[list[Accepted], list[Rejected]]:
    """Decode, resize and write pictures, each distinct picture once.

    Two files are the same picture where their prepared pixels are: then no network could tell them
    apart, and they must not sit in two splits. (Hashing the prepared pixels takes 0.03 ms; hashing
    all decoded ones would add a third to the decoding.)

    Args:
        folder: what `files` are relative to.
        files: what may be pictures.
        data: size and limits.
        array: written as it grows, in the order of `files`: uint8 [N, 3, S, S].

    Returns:
        What is in the array, and what is not.

    Raises:
        InputError: the same picture is in both classes, or one is rejected with `on_reject: fail`.
    """
    jpeg = JpegDecoder() if len(files) >= MANY else None

    def work(found: Found) -> Picture | Unusable:
        try:
            path = folder / found.path
            return decode(path, size=data.size, max_pixels=data.max_pixels, jpeg=jpeg)
        except Unusable as reason:
            return reason

    accepted: dict[str, Accepted] = {}
    rejected: list[Rejected] = []
    with quiet(), array.open("wb") as file:
        _write_header(file, 0, data.size)
        for found, picture in zip(files, _in_order(work, _with_progress(files)), strict=True):
            reason = _take(found, picture, accepted, file)
            if reason:
                rejected.append(Rejected(found.path, reason))
                if data.on_reject == "fail":
                    raise InputError(f"{one_line(found.path)}: {reason} (data.on_reject: fail)")
        file.seek(0)
        _write_header(file, len(accepted), data.size)
    return list(accepted.values()), rejected


def _take(
    found: Found, picture: Picture | Unusable, accepted: dict[str, Accepted], file: BinaryIO
) -> str | None:
    """Write a picture, or say why not."""
    if isinstance(picture, Unusable):
        return str(picture)
    sha256 = hashlib.sha256(picture.pixels.tobytes()).hexdigest()
    if sha256 not in accepted:
        accepted[sha256] = Accepted(found, sha256, picture.width, picture.height)
        file.write(picture.pixels.tobytes())
        return None
    first = accepted[sha256].found
    if first.label != found.label:
        raise InputError(
            "the same picture is in both classes: "
            f"{one_line(first.path)} and {one_line(found.path)}"
        )
    return f"the same picture as {first.path}"


def _write_header(file: BinaryIO, pictures: int, size: int) -> None:
    """The header of a .npy file; 128 bytes for any number of pictures."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (pictures, 3, size, size)}
    np.lib.format.write_array_header_1_0(file, header)


def _with_progress(files: list[Found]) -> Iterable[Found]:
    return tqdm(files, desc="prepare", unit=" pictures", disable=None, leave=False)


def _in_order(work: Callable[[_T], _U], items: Iterable[_T]) -> Iterator[_U]:
    """Map on all cores, results in order, a bounded number of them waiting."""
    cores = len(os.sched_getaffinity(0))
    waiting: deque[Future[_U]] = deque()
    with ThreadPoolExecutor(cores) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > 8 * cores:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def measured(pictures: NDArray[np.uint8], train: NDArray[np.intp]) -> tuple[Channels, Channels]:
    """Mean and standard deviation of `pixel / 255` per channel over the training pictures.

    From exact sums of integers, so the same on every machine.

    Raises:
        InputError: a channel does not vary.
    """
    total, squares = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    for row in train:
        pixels = pictures[row].reshape(3, -1).astype(np.int64)
        total += pixels.sum(1)
        squares += (pixels * pixels).sum(1)
    n = len(train) * pictures[0, 0].size
    mean = [int(t) / n / 255 for t in total]
    std = [
        math.sqrt(int(s) * n - int(t) ** 2) / n / 255 for t, s in zip(total, squares, strict=True)
    ]
    if min(std) == 0:
        raise InputError("data.std: train: a channel has the same value in every training picture")
    return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])


def write_rejected(rejected: list[Rejected], path: Path) -> None:
    """Write rejected.csv: path and reason."""
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Rejected._fields)
        rows.writerows(rejected)
