"""data/prepared: the pictures as one array, and what is known about each; written and read here."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shallowdeep.files.checksums import of_file, of_json
from shallowdeep.prepared.reading import altered, read_whole
from shallowdeep.prepared.split import SPLITS, SplitName
from shallowdeep.settings.params import Channels


class Entry(NamedTuple):
    """One row of manifest.csv."""

    path: str  # relative to data.dir
    sha256: str  # of the prepared pixels
    label: int
    split: SplitName
    width: int  # of the picture before it was resized
    height: int


_KINDS = {"path": object, "sha256": object, "split": object} | dict.fromkeys(
    ("label", "width", "height"), np.int64
)


@dataclass(frozen=True)
class Prepared:
    """Prepared pictures, rows in the manifest's order."""

    folder: Path
    pictures: NDArray[np.uint8]  # [N, 3, S, S], memory-mapped; writing to it changes no file
    manifest: pd.DataFrame  # a row for each picture, columns as in Entry
    classes: tuple[str, str]
    size: int
    mean: Channels
    std: Channels

    @property
    def labels(self) -> NDArray[np.int64]:
        """Index of each picture's class [N]."""
        return self.manifest["label"].to_numpy(np.int64, copy=True)  # torch warns of views

    def rows(self, split: SplitName) -> NDArray[np.intp]:
        """Rows of one split's pictures, ascending."""
        return np.flatnonzero(self.manifest["split"] == split)

    def gram(self) -> NDArray[np.float32]:
        """The Gram matrix [N, N_train], memory-mapped.

        Raises:
            InputError: `prepare` ran for the primal solver, or the file was altered.
        """
        shape = (len(self.manifest), len(self.rows("train")))
        return _array(self.folder / "gram.npy", np.dtype(np.float32), shape)


class Summary(NamedTuple):
    """What meta.json says."""

    classes: tuple[str, str]
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
    counts = count(manifest, summary.classes)
    meta: dict[str, Any] = {"pictures": len(manifest), "counts": counts} | summary._asdict()
    meta["sha256"] = {
        path.name: of_file(path) for path in sorted(folder.iterdir()) if path.name != "meta.json"
    }
    meta["sha256"]["meta.json"] = of_json(meta)
    (folder / "meta.json").write_text(json.dumps(meta, indent=2, sort_keys=True) + "\n")


def count(manifest: pd.DataFrame, classes: Sequence[str]) -> dict[SplitName, dict[str, int]]:
    """Pictures by split and class."""
    of = manifest.groupby(["split", "label"]).size()
    return {
        split: {name: int(of.get((split, label), 0)) for label, name in enumerate(classes)}
        for split in SPLITS
    }


def read(folder: Path) -> Prepared:
    """Read what `prepare` wrote.

    Raises:
        InputError: a file is missing, truncated or altered, with the command that makes it anew.
    """
    summary, checksums = read_whole(folder / "meta.json", _summary)
    for name, checksum in checksums.items():
        if read_whole(folder / name, of_file) != checksum:
            raise altered(folder / name)
    manifest = read_whole(folder / "manifest.csv", _manifest)
    shape = (len(manifest), 3, summary.size, summary.size)
    return Prepared(
        folder, _array(folder / "pictures.npy", np.dtype(np.uint8), shape), manifest, *summary
    )


def _manifest(path: Path) -> pd.DataFrame:
    table = pd.read_csv(
        path, dtype=_KINDS, keep_default_na=False, encoding_errors="surrogateescape"
    )
    known = table["label"].isin((0, 1)) & table["split"].isin(SPLITS)
    if tuple(table.columns) != Entry._fields or not known.all():
        raise ValueError
    return table


def _summary(path: Path) -> tuple[Summary, dict[str, str]]:
    """What meta.json says, and the checksums of the files beside it."""
    meta = json.loads(path.read_text(encoding="utf-8"))
    if meta["sha256"].pop("meta.json") != of_json(meta) or "pictures.npy" not in meta["sha256"]:
        raise ValueError
    mean, std, classes = meta["mean"], meta["std"], meta["classes"]
    summary = Summary(
        (str(classes[0]), str(classes[1])),
        int(meta["size"]),
        (float(mean[0]), float(mean[1]), float(mean[2])),
        (float(std[0]), float(std[1]), float(std[2])),
    )
    return summary, meta["sha256"]


def _array(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    def read(path: Path) -> NDArray[Any]:
        array: np.memmap[Any, Any] = np.load(path, mmap_mode="c")
        excess = path.stat().st_size - array.offset - array.nbytes
        if array.dtype != dtype or array.shape != shape or excess:
            raise ValueError
        return array

    return read_whole(path, read)
