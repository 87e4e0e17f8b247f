"""Decode many pictures at once, in order, in bounded memory."""

import hashlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import BinaryIO, NamedTuple, TextIO, TypeVar

import numpy as np
import pandas as pd
from tqdm import tqdm

from shallowdeep.files.cores import available_cores
from shallowdeep.files.errors import InputError
from shallowdeep.pictures.decoding import Picture, Unusable, decode, quiet
from shallowdeep.pictures.listing import Found
from shallowdeep.prepared.data_report import DataReport, LeftOut
from shallowdeep.prepared.folds import cut
from shallowdeep.prepared.prepared_set import Entry, as_table
from shallowdeep.settings.params import Data, Split

_T = TypeVar("_T")
_U = TypeVar("_U")

BATCH = 8  # pictures handed to a thread at a time


class Accepted(NamedTuple):
    """A picture that is in the array; its row is its position among the accepted."""

    found: Found
    sha256: str  # of its prepared pixels
    width: int
    height: int


class Decoded(NamedTuple):
    """What became of the files."""

    accepted: list[Accepted]
    rejected: list[LeftOut]
    duplicates: list[LeftOut]

    def report(self) -> DataReport:
        """What became of the files in numbers, given the pictures by split and class."""
        return DataReport(len(self.accepted), len(self.rejected), len(self.duplicates))


class _Hashed(NamedTuple):
    picture: Picture
    sha256: str


def decode_all(folder: Path, files: Sequence[Found], data: Data, array: Path) -> Decoded:
    """Decode, resize and write pictures, each distinct picture once.

    Two files are the same picture where their prepared pixels are: then no network could tell them
    apart, and they must not sit in two splits. (Hashing the prepared pixels takes 0.03 ms; hashing
    all decoded ones would add a third to the decoding.)

    Args:
        folder: what `files` are relative to.
        files: what may be pictures.
        data: size and limits.
        array: written as it grows, in the order of `files`: uint8 [N, 3, S, S].

    Raises:
        InputError: the same picture is in both classes, or one is rejected with `on_reject: fail`.
    """
    accepted: dict[str, Accepted] = {}
    rejected: list[LeftOut] = []
    duplicates: list[LeftOut] = []
    with quiet() as stderr, array.open("wb") as file:
        _write_header(file, 0, data.size)
        with closing(_in_order(lambda found: _hashed(folder, found, data), files)) as outcomes:
            for found, outcome in zip(files, _shown(outcomes, len(files), stderr), strict=True):
                if isinstance(outcome, Unusable):
                    rejected.append(LeftOut(found.path, str(outcome)))
                elif outcome.sha256 in accepted:
                    duplicates.append(_duplicate(found, accepted[outcome.sha256].found))
                else:
                    pixels, width, height = outcome.picture
                    accepted[outcome.sha256] = Accepted(found, outcome.sha256, width, height)
                    file.write(pixels.data)
        file.seek(0)
        _write_header(file, len(accepted), data.size)
    if rejected and data.on_reject == "fail":
        raise InputError(f"{_in_words(rejected)}; data.on_reject: fail allows none")
    return Decoded(list(accepted.values()), rejected, duplicates)


def manifest(
    decoded: Decoded, classes: Sequence[str], single: Split, *, folds: int, seed: int
) -> pd.DataFrame:
    """Cut the accepted pictures into the folds' parts and say of each what is known.

    Raises:
        InputError: a class has too few pictures; where files were rejected, the message says so.
    """
    labels = np.array([one.found.label for one in decoded.accepted], dtype=np.int64)
    try:
        parts = cut(labels, single, folds=folds, classes=classes, seed=seed)
    except InputError as error:
        if decoded.rejected:
            raise InputError(f"{error}; {_in_words(decoded.rejected)}") from None
        raise
    return as_table(
        Entry(found.path, sha256, found.label, part, width, height)
        for (found, sha256, width, height), part in zip(
            decoded.accepted, parts.tolist(), strict=True
        )
    )


def _in_words(rejected: Sequence[LeftOut]) -> str:
    number = f"{len(rejected):,} files" if len(rejected) > 1 else "1 file"
    return f"{number} rejected, first {rejected[0].path}: {rejected[0].reason}"


def _hashed(folder: Path, found: Found, data: Data) -> _Hashed | Unusable:
    try:
        path = f"{folder}/{found.path}"  # a Path would take 20 microseconds
        picture = decode(path, size=data.size, max_pixels=data.max_pixels)
    except Unusable as reason:
        return reason
    return _Hashed(picture, hashlib.sha256(picture.pixels.data).hexdigest())


def _duplicate(found: Found, first: Found) -> LeftOut:
    if first.label != found.label:
        raise InputError(
            f"the same picture is in both classes: {first.path} and {found.path}"
            " (their prepared pixels are equal)"
        )
    return LeftOut(found.path, f"duplicate of {first.path}")


def _write_header(file: BinaryIO, pictures: int, size: int) -> None:
    """The header of a .npy file; 128 bytes for any number of pictures."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (pictures, 3, size, size)}
    np.lib.format.write_array_header_1_0(file, header)


def _shown(items: Iterable[_T], total: int, stderr: TextIO) -> Iterable[_T]:
    """The same items, with a progress bar where a terminal can show it."""
    return tqdm(items, "prepare", total, unit=" pictures", file=stderr, disable=None, leave=False)


def _in_order(work: Callable[[_T], _U], items: Sequence[_T]) -> Generator[_U, None, None]:
    """Map on all cores, results in order, a bounded number of them waiting."""
    import torch

    torch.set_num_threads(1)  # each of our threads is one core's; torch would start more in each
    cores = available_cores()
    stopped = Event()

    def work_batch(start: int) -> list[_U]:
        return [work(item) for item in items[start : start + BATCH] if not stopped.is_set()]

    waiting: deque[Future[list[_U]]] = deque()
    with ThreadPoolExecutor(cores) as pool:
        try:
            for start in range(0, len(items), BATCH):
                waiting.append(pool.submit(work_batch, start))
                if len(waiting) > 3 * cores:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)
