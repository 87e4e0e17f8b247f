"""results/data.json, results/rejected.csv and its like: what became of a data set's files."""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from shallowdeep.files.markup import escape, unescape
from shallowdeep.prepared.folds import SPLITS, SplitName
from shallowdeep.prepared.reading import read_whole

Counts = Mapping[SplitName, Mapping[str, int]]  # pictures by split of fold 0 and class

COLUMNS = ("path", "reason")
MAY_BE = ("conflicts", "near_duplicates", "skipped")  # counts that few data sets have


class LeftOut(NamedTuple):
    """A file that is not in the array, and why."""

    path: str
    reason: str


class DataReport(NamedTuple):
    """How many pictures there are, and how many files were left out."""

    pictures: int
    rejected: int
    duplicates: int
    conflicts: int = 0  # files of pictures that are in both classes
    near_duplicates: int = 0  # pictures that are another's copy, but for size or compression
    skipped: int = 0  # files in hidden and in sidecar folders

    def in_words(self, counts: Counts) -> str:
        """One line for the terminal."""
        classes = counts[SPLITS[0]]
        by_class = (f"{sum(split[name] for split in counts.values()):,} {name}" for name in classes)
        by_split = (f"{sum(split.values()):,} {name}" for name, split in counts.items())
        line = f"{self.pictures:,} pictures ({', '.join(by_class)}): {', '.join(by_split)}"
        left_out = [f"{self.rejected:,} rejected"] if self.rejected else []
        if self.duplicates:
            left_out.append(f"{self.duplicates:,} duplicate{'s' * (self.duplicates > 1)}")
        if self.conflicts:
            left_out.append(f"{self.conflicts:,} in both classes")
        if left_out:
            line += f"; {', '.join(left_out)} (results/rejected.csv)"
        if self.near_duplicates:
            copies = f"{self.near_duplicates:,} near-duplicate{'s' * (self.near_duplicates > 1)}"
            line += f"; {copies} (results/near_duplicates.csv)"
        if self.skipped:
            line += f"; {self.skipped:,} in hidden or sidecar folders skipped"
        return line


def write_listing(left_out: Sequence[LeftOut], path: Path) -> None:
    """Write rejected.csv: path and reason of each file left out, sorted by path.

    near_duplicates.csv and conflicts.csv are written so too.

    Markup and names that are not UTF-8 stand with escapes (manifest.csv has them byte for byte):
    DVC draws this file, runs what stands in a name and fails on bytes that are not UTF-8.
    """
    ordered = sorted(left_out, key=lambda one: os.fsencode(one.path))
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        rows = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        rows.writerow(COLUMNS)
        rows.writerows(map(escape, one) for one in ordered)


def read_listing(path: Path) -> list[LeftOut]:
    """Read rejected.csv.

    Raises:
        InputError: it is missing, or not as `write_listing` wrote it.
    """
    return read_whole(path, _listing)


def _listing(path: Path) -> list[LeftOut]:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    if tuple(header) != COLUMNS:
        raise ValueError
    return [LeftOut(unescape(name), unescape(reason)) for name, reason in rows]


def write_counts(report: DataReport, path: Path) -> None:
    """Write data.json; of what there need not be any, nothing is said where there is none."""
    counts = {key: value for key, value in report._asdict().items() if key not in MAY_BE or value}
    content = json.dumps(counts, indent=2, sort_keys=True)
    path.write_text(content + "\n", encoding="utf-8")


def read_counts(path: Path) -> DataReport:
    """Read data.json.

    Raises:
        InputError: it is missing, or not as `write_counts` wrote it.
    """
    return read_whole(path, _counts)


def _counts(path: Path) -> DataReport:
    content = json.loads(path.read_text(encoding="utf-8"))
    numbers = [_whole(content[key]) for key in DataReport._fields if key not in MAY_BE]
    return DataReport(*numbers, **{key: _whole(content.get(key, 0)) for key in MAY_BE})


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError
    return value
