"""From files to data/prepared: decode, find near-duplicates, split, measure, multiply."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pandas as pd

from shallowdeep.files.errors import InputError
from shallowdeep.files.progress import Progress
from shallowdeep.pictures import gram, near_duplicates, solver
from shallowdeep.pictures.alike_names import suggestion
from shallowdeep.pictures.channels import normalisation
from shallowdeep.pictures.cluster import cluster_or_threads
from shallowdeep.pictures.decoding import Picture, decode, quiet
from shallowdeep.pictures.groups import by_name, merged
from shallowdeep.pictures.limits import Unusable
from shallowdeep.pictures.listing import Found, Listed, classes, listed
from shallowdeep.pictures.splitting import cut
from shallowdeep.pictures.worker_pool import ordered_map
from shallowdeep.prepared import prepared_set
from shallowdeep.prepared.data_report import DataReport, LeftOut
from shallowdeep.prepared.folds import Groups, fold, shared
from shallowdeep.prepared.prepared_set import ManifestRow, Summary, as_table
from shallowdeep.settings.params import Data, Params, Split


class Decoded(NamedTuple):
    """Outcomes for the files of a folder."""

    accepted: list[ManifestRow]  # in the order of the array's rows; their folds are not known yet
    rejected: list[LeftOut]
    duplicates: list[LeftOut]
    conflicts: list[LeftOut]  # the same picture in both classes, with `on_conflict: skip`


class Reports(NamedTuple):
    """Reports on a preparation, besides data/prepared itself."""

    left_out: list[LeftOut]
    near_duplicates: list[LeftOut]  # these are in the array
    counts: DataReport
    lines: list[str]  # for the terminal


class InBothClasses(InputError):
    """The same pictures are in both classes; `files` lists all of them."""

    def __init__(self, message: str, files: list[LeftOut]) -> None:
        super().__init__(message)
        self.files = files


def planned(settings: Params) -> Listed:
    """List the files to decode, and check all that their names can tell.

    Raises:
        InputError: the folder does not hold two classes, data.group makes no groups of its files,
            a class has too few files or groups, also for `share`, or there are too many for the
            solver.
    """
    folder = Path(settings.data.dir)
    with Progress("listing files"):
        found = listed(folder, classes(folder, settings.data.classes))
    labels = np.array([file.label for file in found.files], dtype=np.int64)
    groups, _ = by_name([file.path for file in found.files], settings.data.group)
    parts = cut(  # even if all of them are pictures
        labels,
        settings.data.split,
        folds=settings.folds,
        classes=found.classes,
        seed=settings.seed,
        groups=groups,
    )
    for number in range(settings.folds if settings.share < 1 else 0):
        train = fold(parts, number, folds=settings.folds).train
        shared(train, labels, settings.share, seed=settings.seed, number=number)
    solver.choose(settings, len(labels))  # refuses `dual` if the matrix would be too large
    return found


def prepare_pictures(settings: Params, found: Listed, out: Path) -> Reports:
    """Compute data/prepared from files.

    Args:
        settings: the parameters.
        found: the files.
        out: an empty folder; gets the array, the Gram matrix if the solver is dual, manifest.csv
            and meta.json.

    Raises:
        InBothClasses: the same picture is in both classes, and `on_conflict: fail`.
        InputError: a file is rejected, and `on_reject: fail`; a class has too few pictures.
    """
    data, folds, array = settings.data, settings.folds, out / "pictures.npy"
    decoded = decode_all(Path(data.dir), found.files, data, array)
    means = near_duplicates.reduced(np.load(array, mmap_mode="r"))
    copies = near_duplicates.copies(means)
    groups, unnamed = by_name([one.path for one in decoded.accepted], data.group)
    options, hint = {"folds": folds, "seed": settings.seed}, ""
    if data.near_duplicates == "group" and (copied := copies.all != np.arange(len(groups))).any():
        groups = merged(groups, np.stack([np.flatnonzero(copied), copies.all[copied]]))
        hint = "; near-duplicates are groups too unless data.near_duplicates: ignore"
    table = manifest(decoded, found.classes, data.split, **options, groups=groups, hint=hint)
    train = fold(table["fold"].to_numpy(), 0, folds=folds).train
    mean, std = normalised = normalisation(array, train, data)
    if solver.choose(settings, len(table)) == "dual":
        gram.write(out, normalised)
    prepared_set.write(out, table, Summary(found.classes, folds, data.size, mean, std))
    alike = near_duplicates.described(table, copies)
    several = table.groupby("group")["label"].agg(["size", "nunique"]).query("size > 1")
    counts = DataReport(
        len(decoded.accepted),
        len(decoded.rejected),
        len(decoded.duplicates),
        conflicts=len(decoded.conflicts),
        near_duplicates=len(alike),
        mirrored=sum(one.reason.startswith(near_duplicates.MIRRORED) for one in alike),
        near_duplicates_ignored=sum(near_duplicates.APART in one.reason for one in alike),
        groups=len(several),
        grouped=int(several["size"].sum()),
        groups_of_both_classes=int((several["nunique"] > 1).sum()),
        unnamed=unnamed,
        skipped=len(found.skipped),
        warning=suggestion(means, table),
    )
    lines = [counts.summary(prepared_set.count(table, found.classes, folds=folds))]
    lines += near_duplicates.warnings(alike)
    if unnamed:
        matched = f"does not match {unnamed:,} of {len(table):,} paths"
        lines.append(f"data.group {matched}: it puts them into no group")
    lines += [counts.warning] * bool(counts.warning)
    left_out = decoded.rejected + decoded.duplicates + decoded.conflicts
    return Reports(left_out, alike, counts, lines)


def decode_all(folder: Path, files: Sequence[Found], data: Data, array: Path) -> Decoded:
    """Decode, resize and write pictures, each distinct picture once.

    Two files are the same picture if their prepared pixels are equal: no network could tell them
    apart, and they must not be in two splits. (Hashing the prepared pixels takes 0.03 ms; hashing
    all decoded ones would add a third to the decoding.)

    Args:
        folder: `files` are relative to it.
        files: those that may be pictures.
        data: size and limits.
        array: file for the pictures, uint8 [N, 3, S, S], in the order of `files`.

    Raises:
        InBothClasses: the same picture is in both classes, and `on_conflict: fail`.
        InputError: a file is rejected, and `on_reject: fail`.
    """
    accepted: dict[str, ManifestRow] = {}  # by hash
    same: dict[str, list[Found]] = {}  # all files of each accepted picture
    rejected: list[LeftOut] = []
    work = partial(_decode_and_hash, str(folder.absolute()), data)
    with (
        quiet() as stderr,
        array.open("wb") as file,
        closing(ordered_map(work, files, pool=cluster_or_threads())) as outcomes,
        Progress("decoding", len(files), unit="pictures", file=stderr) as progress,
    ):
        _write_header(file, 0, data.size)
        for found, outcome in zip(files, outcomes, strict=True):
            progress.advance()
            if isinstance(outcome, Unusable):
                rejected.append(LeftOut(found.path, str(outcome)))
                continue
            sha256, (pixels, width, height) = outcome
            same.setdefault(sha256, []).append(found)
            if sha256 not in accepted:
                accepted[sha256] = ManifestRow(found.path, sha256, found.label, -1, width, height)
                file.write(pixels.data)
        file.seek(0)
        _write_header(file, len(accepted), data.size)
    in_both = {sha256 for sha256 in same if len({one.label for one in same[sha256]}) > 1}
    conflicts = [one for sha256 in same if sha256 in in_both for one in _conflicting(same[sha256])]
    _check(rejected, conflicts, len(in_both), data)
    if in_both:
        _keep_rows(array, [row for row, sha256 in enumerate(accepted) if sha256 not in in_both])
    duplicates = [
        LeftOut(one.path, f"duplicate of {first.path}")
        for sha256, (first, *others) in same.items()
        if sha256 not in in_both
        for one in others
    ]
    kept = [one for sha256, one in accepted.items() if sha256 not in in_both]
    return Decoded(kept, rejected, duplicates, conflicts)


def manifest(
    decoded: Decoded,
    classes: Sequence[str],
    single: Split,
    *,
    folds: int,
    seed: int,
    groups: Groups | None = None,
    hint: str = "",
) -> pd.DataFrame:
    """Cut the accepted pictures into the folds' parts and make the manifest.

    Args:
        decoded: outcomes for the files.
        classes: their names.
        single: shares of each class if there is one fold.
        folds: number of folds.
        seed: of the shuffling.
        groups: pictures that belong together, each group in one part; none if not given.
        hint: a further way out if there are too few groups, for the message.

    Raises:
        InputError: a class has too few pictures or groups; if files were rejected, the message has
            the first, or for a class without pictures the most frequent reason.
    """
    labels = np.array([one.label for one in decoded.accepted], dtype=np.int64)
    try:
        parts = cut(
            labels, single, folds=folds, classes=classes, seed=seed, groups=groups, hint=hint
        )
    except InputError as error:
        for label, name in enumerate(classes):
            reasons = Counter(one.reason for one in decoded.rejected if _is_of(one, name))
            if reasons and label not in labels:
                ((reason, count),) = reasons.most_common(1)
                raise InputError(
                    f"data: class {name}: none of its {reasons.total():,} files is a picture that"
                    f" can be read; {count:,} of them: {reason}"
                ) from None
        if decoded.rejected:
            raise InputError(f"{error}; {_first_of(decoded.rejected)}") from None
        raise
    table = as_table(decoded.accepted)
    if groups is not None:
        table["group"] = groups
    return table.assign(fold=parts)


def _decode_and_hash(folder: str, data: Data, found: Found) -> tuple[str, Picture] | Unusable:
    try:
        path = f"{folder}/{found.path}"  # a Path would take 20 microseconds
        picture = decode(path, size=data.size, max_pixels=data.max_pixels)
    except Unusable as reason:
        return reason
    return hashlib.sha256(picture.pixels.data).hexdigest(), picture


def _is_of(one: LeftOut, name: str) -> bool:
    return one.path.removeprefix("./").startswith(f"{name}/")


def _conflicting(same: Sequence[Found]) -> list[LeftOut]:
    """Name for each file the first one in the other class."""
    other = {one.label: one.path for one in reversed(same)}
    return [LeftOut(one.path, f"the same picture as {other[1 - one.label]}") for one in same]


def _check(
    rejected: Sequence[LeftOut], conflicts: list[LeftOut], pictures: int, data: Data
) -> None:
    """Refuse what params.yaml does not allow: all of it at once, so that one run is enough."""
    rejection = ""
    if rejected and data.on_reject == "fail":
        rejection = f"{_first_of(rejected)}; data.on_reject: fail allows none"
    if conflicts and data.on_conflict == "fail":
        first, reason = conflicts[0]
        message = (
            f"the same picture is in both classes: {first} and"
            f" {reason.removeprefix('the same picture as ')}; pictures in both: {pictures:,},"
            f" all listed in results/conflicts.csv; data.on_conflict: fail allows none, skip"
            " leaves them out"
        )
        raise InBothClasses(f"{message}; {rejection}" if rejection else message, conflicts)
    if rejection:
        raise InputError(rejection)


def _first_of(rejected: Sequence[LeftOut]) -> str:
    number = f"{len(rejected):,} files" if len(rejected) > 1 else "1 file"
    return f"{number} rejected, first {rejected[0].path}: {rejected[0].reason}"


def _keep_rows(array: Path, rows: Sequence[int]) -> None:
    """Remove all other rows from an array."""
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
    """Write the header of a .npy file, which has 128 bytes for any number of pictures."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (pictures, 3, size, size)}
    np.lib.format.write_array_header_1_0(file, header)
