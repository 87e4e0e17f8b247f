"""data/prepared: the pictures as one array, and a manifest with a row for each."""

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError
from shallowdeep.files.memory import fits
from shallowdeep.files.reading import read_or_explain
from shallowdeep.prepared.folds import SPLITS, Fold, Groups, Parts, SplitName, fold, shared
from shallowdeep.settings.params import Channels


class ManifestRow(NamedTuple):
    """One row of manifest.csv."""

    path: str  # relative to data.dir
    sha256: str  # of the prepared pixels
    label: int
    fold: int  # that tests it; if there is one fold, 0 is tested, 1 validates, 2 trains
    width: int  # of the picture before it was resized
    height: int
    group: int | None = None  # first row of the pictures that it belongs with; None: its own row


_COLUMN_TYPES = {"path": object, "sha256": object} | dict.fromkeys(
    ("label", "fold", "width", "height", "group"), np.int64
)


class Summary(NamedTuple):
    """The content of meta.json."""

    classes: tuple[str, str]
    folds: int
    size: int
    mean: Channels
    std: Channels


@dataclass(frozen=True)
class Prepared:
    """Prepared pictures, rows in the manifest's order."""

    folder: Path
    pictures: NDArray[np.uint8]  # [N, 3, S, S], memory-mapped; writing to it changes no file
    manifest: pd.DataFrame  # a row for each picture, columns as in ManifestRow
    classes: tuple[str, str]
    folds: int
    size: int
    mean: Channels
    std: Channels
    share: float = 1.0  # of the training pictures of a fold that it uses
    seed: int = 0  # draws them

    @property
    def labels(self) -> NDArray[np.int64]:
        """Index of each picture's class [N]."""
        return self.manifest["label"].to_numpy(np.int64, copy=True)  # torch warns of views

    @property
    def parts(self) -> Parts:
        """The column `fold` of the manifest [N]."""
        return self.manifest["fold"].to_numpy(np.int64)

    @property
    def groups(self) -> Groups:
        """The column `group` of the manifest [N]."""
        return self.manifest["group"].to_numpy(np.int64)

    def check_folds(self, wanted: int) -> None:
        """Refuse pictures that are cut into other folds than params.yaml asks for.

        Raises:
            InputError: with both numbers.
        """
        if self.folds != wanted:
            raise InputError(
                f"data/prepared: has folds: {self.folds}, params.yaml {wanted};"
                " `dvc repro prepare` makes them"
            )

    def fold(self, number: int) -> Fold:
        """Return the rows that fold `number` trains, validates and tests on.

        Raises:
            InputError: the share leaves too few training pictures of a class.
        """
        whole = fold(self.parts, number, folds=self.folds)
        train = shared(whole.train, self.labels, self.share, seed=self.seed, number=number)
        return whole._replace(train=train)

    def rows(self, split: SplitName) -> NDArray[np.intp]:
        """Return the rows of one split of fold 0, ascending."""
        rows: NDArray[np.intp] = getattr(self.fold(0), split)
        return rows

    def tested(self) -> NDArray[np.intp]:
        """Return the rows that some fold tests, ascending: all, unless there is one fold."""
        return np.flatnonzero(self.parts < self.folds)

    def counts(self) -> dict[SplitName, dict[str, int]]:
        """Count the pictures of fold 0 by split and class."""
        return _by_class(self.labels, self.fold(0), self.classes)

    def solver_of(self, wanted: Literal["auto", "primal", "dual"]) -> Literal["primal", "dual"]:
        """Return the solver that `prepare` has chosen if `auto` is wanted, else the wanted one."""
        if wanted == "auto":
            return "dual" if (self.folder / "gram.npy").exists() else "primal"
        return wanted

    def gram(self) -> NDArray[np.float32]:
        """Map the Gram matrix [N, N] into memory.

        Raises:
            InputError: `prepare` ran for the primal solver, or the file cannot be read.
        """
        shape = (len(self.manifest), len(self.manifest))
        return _array(self.folder / "gram.npy", np.dtype(np.float32), shape)


def as_table(rows: Iterable[ManifestRow]) -> pd.DataFrame:
    """Make a manifest of its rows."""
    table = pd.DataFrame(list(rows), columns=list(ManifestRow._fields), dtype=object)
    table["group"] = table["group"].where(table["group"].notna(), table.index)
    return table.astype(_COLUMN_TYPES)


def write(folder: Path, manifest: pd.DataFrame, summary: Summary) -> None:
    """Write manifest.csv and meta.json beside the arrays."""
    # File names are bytes: names that are not UTF-8 survive as surrogate escapes. Texts are always
    # quoted: Python 3.11 forgets to in a name with a carriage return.
    manifest.to_csv(
        folder / "manifest.csv",
        index=False,
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC,
        errors="surrogateescape",
    )
    counts = count(manifest, summary.classes, folds=summary.folds)
    meta: dict[str, Any] = {"pictures": len(manifest), "counts": counts} | summary._asdict()
    (folder / "meta.json").write_text(json.dumps(meta, indent=2, sort_keys=True) + "\n")


def count(
    manifest: pd.DataFrame, classes: tuple[str, str], *, folds: int
) -> dict[SplitName, dict[str, int]]:
    """Count the pictures of fold 0 by split and class."""
    rows = fold(manifest["fold"].to_numpy(), 0, folds=folds)
    return _by_class(manifest["label"].to_numpy(), rows, classes)


def _by_class(
    labels: NDArray[np.int64], rows: Fold, classes: tuple[str, str]
) -> dict[SplitName, dict[str, int]]:
    return {
        split: dict(zip(classes, np.bincount(labels[of], minlength=2).tolist(), strict=True))
        for split, of in zip(SPLITS, rows, strict=True)
    }


def read(folder: Path, *, share: float = 1.0, seed: int = 0) -> Prepared:
    """Read the output of `prepare`, with a share of each fold's training pictures.

    Raises:
        InputError: a file is missing, has another shape or cannot be read; the message has the
            command that makes it anew.
    """
    summary = read_or_explain(folder / "meta.json", _summary, stage="prepare")
    manifest = read_or_explain(folder / "manifest.csv", read_manifest, stage="prepare")
    shape = (len(manifest), 3, summary.size, summary.size)
    pictures = _array(folder / "pictures.npy", np.dtype(np.uint8), shape)
    return Prepared(folder, pictures, manifest, *summary, share, seed)


def read_manifest(file: Path | BinaryIO) -> pd.DataFrame:
    """Read manifest.csv: a row for each picture, columns as in ManifestRow.

    Raises:
        ValueError, LookupError: it is not as `write` wrote it.
    """
    table = pd.read_csv(
        file, dtype=_COLUMN_TYPES, keep_default_na=False, encoding_errors="surrogateescape"
    )
    if tuple(table.columns) != ManifestRow._fields:
        raise ValueError
    return table


def _summary(path: Path) -> Summary:
    meta = json.loads(path.read_text(encoding="utf-8"))
    (first, second), (r, g, b), (std_r, std_g, std_b) = meta["classes"], meta["mean"], meta["std"]
    return Summary((first, second), meta["folds"], meta["size"], (r, g, b), (std_r, std_g, std_b))


def _array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    def read(path: Path) -> NDArray[Any]:
        # Writable, as torch wants it, if the system has memory for that.
        mode: Literal["c", "r"] = "c" if dtype != np.uint8 or fits(path.stat().st_size) else "r"
        array: np.memmap[Any, Any] = np.load(path, mmap_mode=mode)
        if array.dtype != dtype or array.shape != shape:
            raise ValueError
        return array

    return read_or_explain(path, read, stage="prepare")
