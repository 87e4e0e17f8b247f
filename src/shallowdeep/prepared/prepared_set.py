"""data/prepared: the pictures as one array, and what is known about each; written and read here."""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shallowdeep.files.checksums import of_json
from shallowdeep.files.errors import InputError
from shallowdeep.files.known_digests import known_sha256
from shallowdeep.files.memory import fits
from shallowdeep.files.progress import Progress
from shallowdeep.prepared.folds import SPLITS, Fold, Parts, SplitName, fold
from shallowdeep.prepared.reading import altered, read_whole
from shallowdeep.settings.params import Channels


class Entry(NamedTuple):
    """One row of manifest.csv."""

    path: str  # relative to data.dir
    sha256: str  # of the prepared pixels
    label: int
    fold: int  # that tests it; if there is one fold, 0 is tested, 1 validates, 2 trains
    width: int  # of the picture before it was resized
    height: int


_KINDS = {"path": object, "sha256": object} | dict.fromkeys(
    ("label", "fold", "width", "height"), np.int64
)


@dataclass(frozen=True)
class Prepared:
    """Prepared pictures, rows in the manifest's order."""

    folder: Path
    pictures: NDArray[np.uint8]  # [N, 3, S, S], memory-mapped; writing to it changes no file
    manifest: pd.DataFrame  # a row for each picture, columns as in Entry
    classes: tuple[str, str]
    folds: int
    size: int
    mean: Channels
    std: Channels
    sha256: str  # of pictures and manifest: what the networks' answers depend on

    @property
    def labels(self) -> NDArray[np.int64]:
        """Index of each picture's class [N]."""
        return self.manifest["label"].to_numpy(np.int64, copy=True)  # torch warns of views

    @property
    def parts(self) -> Parts:
        """The column `fold` of the manifest [N]."""
        return self.manifest["fold"].to_numpy(np.int64)

    def check_folds(self, wanted: int) -> None:
        """Refuse pictures that are cut into other folds than params.yaml says.

        Raises:
            InputError: naming both numbers.
        """
        if self.folds != wanted:
            raise InputError(
                f"data/prepared: has folds: {self.folds}, params.yaml {wanted};"
                " `dvc repro prepare` makes them"
            )

    def fold(self, number: int) -> Fold:
        """The rows that fold `number` trains, validates and tests on."""
        return fold(self.parts, number, folds=self.folds)

    def rows(self, split: SplitName) -> NDArray[np.intp]:
        """Rows of one split of fold 0, ascending."""
        rows: NDArray[np.intp] = getattr(self.fold(0), split)
        return rows

    def tested(self) -> NDArray[np.intp]:
        """Rows of the pictures that some fold tests, ascending: all of them, save of one fold."""
        return np.flatnonzero(self.parts < self.folds)

    def counts(self) -> dict[SplitName, dict[str, int]]:
        """Pictures of fold 0 by split and class."""
        summary = Summary(self.classes, self.folds, self.size, self.mean, self.std)
        return count(self.manifest, summary)

    @property
    def has_gram(self) -> bool:
        """Whether `prepare` made a Gram matrix."""
        return (self.folder / "gram.npy").exists()

    def gram(self) -> NDArray[np.float32]:
        """The Gram matrix [N, N], memory-mapped.

        Raises:
            InputError: `prepare` ran for the primal solver, or the file was altered.
        """
        shape = (len(self.manifest), len(self.manifest))
        return _array(self.folder / "gram.npy", np.dtype(np.float32), shape)


class Summary(NamedTuple):
    """What meta.json says."""

    classes: tuple[str, str]
    folds: int
    size: int
    mean: Channels
    std: Channels


def as_table(entries: Iterable[Entry]) -> pd.DataFrame:
    """Entries as the rows of a manifest."""
    table = pd.DataFrame(list(entries), columns=list(Entry._fields), dtype=object)
    return table.astype(_KINDS)


def write(folder: Path, manifest: pd.DataFrame, summary: Summary) -> None:
    """Write manifest.csv and meta.json beside the arrays, whose checksums are in meta.json."""
    # File names are bytes: those that are not UTF-8 survive as surrogate escapes. Texts are quoted
    # always: Python 3.11 forgets to in a name with a carriage return.
    manifest.to_csv(
        folder / "manifest.csv",
        index=False,
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC,
        errors="surrogateescape",
    )
    counts = count(manifest, summary)
    meta: dict[str, Any] = {"pictures": len(manifest), "counts": counts} | summary._asdict()
    files = [path for path in sorted(folder.iterdir()) if path.name != "meta.json"]
    size = sum(path.stat().st_size for path in files)
    with Progress("hashing what it has made", size, unit="B") as progress:
        meta["sha256"] = {path.name: known_sha256(path, progress.advance) for path in files}
    meta["sha256"]["meta.json"] = of_json(meta)
    (folder / "meta.json").write_text(json.dumps(meta, indent=2, sort_keys=True) + "\n")


def count(manifest: pd.DataFrame, summary: Summary) -> dict[SplitName, dict[str, int]]:
    """Pictures of fold 0 by split and class."""
    rows = fold(manifest["fold"].to_numpy(), 0, folds=summary.folds)._asdict()
    labels = manifest["label"].to_numpy()
    return {
        split: {
            name: int((labels[rows[split]] == label).sum())
            for label, name in enumerate(summary.classes)
        }
        for split in SPLITS
    }


def read(folder: Path) -> Prepared:
    """Read what `prepare` wrote.

    Raises:
        InputError: a file is missing, truncated or altered, with the command that makes it anew.
    """
    summary, checksums = read_whole(folder / "meta.json", _summary)
    for name, checksum in checksums.items():
        if read_whole(folder / name, known_sha256) != checksum:
            raise altered(folder / name)
    manifest = read_whole(
        folder / "manifest.csv", lambda path: read_manifest(path, folds=summary.folds)
    )
    shape = (len(manifest), 3, summary.size, summary.size)
    pictures = _array(folder / "pictures.npy", np.dtype(np.uint8), shape)
    identity = of_json([checksums["pictures.npy"], checksums["manifest.csv"]])
    return Prepared(folder, pictures, manifest, *summary, identity)


def read_manifest(file: Path | BinaryIO, *, folds: int) -> pd.DataFrame:
    """Read manifest.csv: a row for each picture, columns as in Entry.

    Raises:
        ValueError, LookupError: it is not as `write` wrote it for so many folds.
    """
    table = pd.read_csv(
        file, dtype=_KINDS, keep_default_na=False, encoding_errors="surrogateescape"
    )
    known = table["label"].isin((0, 1)) & table["fold"].between(0, max(folds, 3) - 1)
    if tuple(table.columns) != Entry._fields or not known.all():
        raise ValueError
    return table


def _summary(path: Path) -> tuple[Summary, dict[str, str]]:
    """What meta.json says, and the checksums of the files beside it."""
    meta = json.loads(path.read_text(encoding="utf-8"))
    if meta["sha256"].pop("meta.json") != of_json(meta) or not {
        "pictures.npy",
        "manifest.csv",
    } <= set(meta["sha256"]):
        raise ValueError
    mean, std, classes = meta["mean"], meta["std"], meta["classes"]
    summary = Summary(
        (str(classes[0]), str(classes[1])),
        int(meta["folds"]),
        int(meta["size"]),
        (float(mean[0]), float(mean[1]), float(mean[2])),
        (float(std[0]), float(std[1]), float(std[2])),
    )
    return summary, meta["sha256"]


def _array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    def read(path: Path) -> NDArray[Any]:
        # To be written to, as torch wants it, where the system has memory for that.
        mode: Literal["c", "r"] = "c" if dtype != np.uint8 or fits(path.stat().st_size) else "r"
        array: np.memmap[Any, Any] = np.load(path, mmap_mode=mode)
        excess = path.stat().st_size - array.offset - array.nbytes
        if array.dtype != dtype or array.shape != shape or excess:
            raise ValueError
        return array

    return read_whole(path, read)
