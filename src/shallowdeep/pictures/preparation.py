"""Decode many pictures at once, in order, in bounded memory."""

import hashlib
import os
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError
from shallowdeep.files.progress import Progress
from shallowdeep.pictures.cluster import cluster_or_threads
from shallowdeep.pictures.decoding import decode, quiet
from shallowdeep.pictures.limits import Unusable
from shallowdeep.pictures.listing import Found, Listed, classes, listed
from shallowdeep.pictures.many import in_order
from shallowdeep.pictures.so_far import Known, SoFar
from shallowdeep.prepared import solver
from shallowdeep.prepared.data_report import DataReport, LeftOut
from shallowdeep.prepared.folds import check_enough, cut
from shallowdeep.prepared.near_duplicates import Groups, keep_together
from shallowdeep.prepared.prepared_set import Entry, as_table
from shallowdeep.settings.params import Data, Params, Split

Pixels = NDArray[np.uint8]  # [3, S, S]

HEADER = 128  # bytes before the pixels in a .npy file
_NONE: Pixels = np.empty((3, 0, 0), np.uint8)


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
    conflicts: list[LeftOut]  # the same picture in both classes, with `on_conflict: skip`

    def left_out(self) -> list[LeftOut]:
        """All files that are not in the array."""
        return self.rejected + self.duplicates + self.conflicts

    def report(self, *, near_duplicates: int = 0, skipped: int = 0) -> DataReport:
        """What became of the files in numbers."""
        return DataReport(
            len(self.accepted),
            len(self.rejected),
            len(self.duplicates),
            conflicts=len(self.conflicts),
            near_duplicates=near_duplicates,
            skipped=skipped,
        )


class InBothClasses(InputError):
    """The same pictures are in both classes; `files` lists all that are."""

    def __init__(self, message: str, files: list[LeftOut]) -> None:
        super().__init__(message)
        self.files = files


def planned(settings: Params) -> Listed:
    """The files to decode, once all has been checked that their names can tell.

    Raises:
        InputError: the folder does not hold two classes, a class has too few files, or there are
            too many for the solver.
    """
    folder = Path(settings.data.dir)
    with Progress("listing files"):
        found = listed(folder, classes(folder))
    labels = np.array([file.label for file in found.files], dtype=np.int64)
    check_enough(labels, settings.data.split, folds=settings.folds, classes=found.classes)
    solver.choose(settings, len(labels))  # `dual` that cannot be is refused
    return found


def decode_all(folder: Path, files: Sequence[Found], data: Data, so_far: SoFar) -> Decoded:
    """Decode, resize and write pictures, each distinct picture once.

    Two files are the same picture where their prepared pixels are: then no network could tell them
    apart, and they must not sit in two splits. (Hashing the prepared pixels takes 0.03 ms; hashing
    all decoded ones would add a third to the decoding.)

    Args:
        folder: what `files` are relative to.
        files: what may be pictures.
        data: size and limits.
        so_far: what an interrupted try has left. Its array is written as it grows, in the order of
            `files`: uint8 [N, 3, S, S].

    Raises:
        InBothClasses: the same picture is in both classes, and `on_conflict: fail`.
        InputError: a file is rejected, and `on_reject: fail`.
    """
    outcomes = _Outcomes()
    work = partial(_decoded, str(folder.absolute()), data)
    with quiet() as stderr, so_far.array.open("r+b" if so_far.goes_on else "w+b") as file:
        known = so_far.known(file, most=len(files), header=HEADER, picture=3 * data.size**2)
        for found, outcome in zip(files, known, strict=False):
            outcomes.take(found, outcome)
        file.seek(0)
        _write_header(file, 0, data.size)
        file.seek(0, os.SEEK_END)
        left = files[len(known) :]
        with (
            closing(in_order(work, left, by=cluster_or_threads())) as fresh,
            Progress("decoding", len(files), unit="pictures", file=stderr) as progress,
        ):
            progress.advance(len(known))
            for found, (outcome, pixels) in zip(left, fresh, strict=True):
                progress.advance()
                if outcomes.take(found, outcome):
                    file.write(pixels.data)
                so_far.add(outcome, file)
        file.seek(0)
        _write_header(file, len(outcomes.accepted), data.size)
    return outcomes.judged(so_far.array, data)


class _Outcomes:
    """What has become of the files that are done."""

    def __init__(self) -> None:
        self.accepted: dict[str, Accepted] = {}  # by hash
        self._copies: dict[str, list[Found]] = {}
        self._rejected: list[LeftOut] = []

    def take(self, found: Found, outcome: Known | Unusable) -> bool:
        """The next file; returns whether it is a picture that there was not before."""
        if isinstance(outcome, Unusable):
            self._rejected.append(LeftOut(found.path, str(outcome)))
            return False
        self._copies.setdefault(outcome.sha256, []).append(found)
        if outcome.sha256 in self.accepted:
            return False
        self.accepted[outcome.sha256] = Accepted(found, *outcome)
        return True

    def judged(self, array: Path, data: Data) -> Decoded:
        """Refuse what params.yaml does not allow, and leave out what it leaves out."""
        copies = self._copies
        in_both = {sha for sha, same in copies.items() if len({one.label for one in same}) > 1}
        conflicts = [one for sha in copies if sha in in_both for one in _conflicting(copies[sha])]
        _check(self._rejected, conflicts, len(in_both), data)
        if in_both:
            _keep_rows(array, [row for row, sha in enumerate(self.accepted) if sha not in in_both])
        return Decoded(
            [one for sha, one in self.accepted.items() if sha not in in_both],
            self._rejected,
            [
                one
                for sha, same in copies.items()
                if sha not in in_both
                for one in _duplicates(same)
            ],
            conflicts,
        )


def manifest(
    decoded: Decoded,
    classes: Sequence[str],
    single: Split,
    *,
    folds: int,
    seed: int,
    near: Groups | None = None,
) -> pd.DataFrame:
    """Cut the accepted pictures into the folds' parts and say of each what is known.

    Args:
        decoded: what became of the files.
        classes: their names.
        single: how much of each class goes where if there is one fold.
        folds: how many there are.
        seed: of the shuffling.
        near: groups of near-duplicates, each to lie in one part; none where not given.

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
    if near is not None:
        parts = keep_together(parts, labels, near, seed=seed)
    return as_table(
        Entry(found.path, sha256, found.label, part, width, height)
        for (found, sha256, width, height), part in zip(
            decoded.accepted, parts.tolist(), strict=True
        )
    )


def _in_words(rejected: Sequence[LeftOut]) -> str:
    number = f"{len(rejected):,} files" if len(rejected) > 1 else "1 file"
    return f"{number} rejected, first {rejected[0].path}: {rejected[0].reason}"


def _decoded(folder: str, data: Data, found: Found) -> tuple[Known | Unusable, Pixels]:
    """What becomes of a file, and its pixels, if it has any."""
    try:
        path = f"{folder}/{found.path}"  # a Path would take 20 microseconds
        pixels, width, height = decode(path, size=data.size, max_pixels=data.max_pixels)
    except Unusable as reason:
        return reason, _NONE
    return Known(hashlib.sha256(pixels.data).hexdigest(), width, height), pixels


def _duplicates(same: Sequence[Found]) -> list[LeftOut]:
    return [LeftOut(one.path, f"duplicate of {same[0].path}") for one in same[1:]]


def _conflicting(same: Sequence[Found]) -> list[LeftOut]:
    """Each with the first that is in the other class."""
    other = {one.label: one.path for one in reversed(same)}
    return [LeftOut(one.path, f"the same picture as {other[1 - one.label]}") for one in same]


def _check(
    rejected: Sequence[LeftOut], conflicts: list[LeftOut], pictures: int, data: Data
) -> None:
    """Refuse what params.yaml does not allow: all of it at once, so that one run tells all."""
    said = []
    if conflicts and data.on_conflict == "fail":
        first, reason = conflicts[0]
        said.append(
            f"the same picture is in both classes: {first} and"
            f" {reason.removeprefix('the same picture as ')}; pictures in both: {pictures:,},"
            f" all listed in results/conflicts.csv; data.on_conflict: fail allows none, skip"
            " leaves them out"
        )
    if rejected and data.on_reject == "fail":
        said.append(f"{_in_words(rejected)}; data.on_reject: fail allows none")
    if said and conflicts and data.on_conflict == "fail":
        raise InBothClasses("; ".join(said), conflicts)
    if said:
        raise InputError("; ".join(said))


def _keep_rows(array: Path, rows: Sequence[int]) -> None:
    """Close an array up over the rows that are not to be kept."""
    pictures = np.load(array, mmap_mode="r+")
    for new, old in enumerate(rows):
        if new != old:
            pictures[new] = pictures[old]
    end = pictures.offset + len(rows) * pictures[:1].nbytes
    size = pictures.shape[-1]
    pictures.flush()
    del pictures
    with array.open("r+b") as file:
        _write_header(file, len(rows), size)
        file.truncate(end)


def _write_header(file: BinaryIO, pictures: int, size: int) -> None:
    """The header of a .npy file, HEADER bytes for any number of pictures."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (pictures, 3, size, size)}
    np.lib.format.write_array_header_1_0(file, header)
