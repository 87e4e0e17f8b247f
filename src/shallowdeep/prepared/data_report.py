"""results/data.json and results/rejected.csv: what became of the files of a data set."""

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


class LeftOut(NamedTuple):
    """A file that is not in the array, and why."""

    path: str
    reason: str


class DataReport(NamedTuple):
    """How many pictures there are, and how many files were left out."""

    pictures: int
    rejected: int
    duplicates: int

    def in_words(self, counts: Counts) -> str:
        """One line for the terminal."""
        classes = counts[SPLITS[0]]
        by_class = (f"{sum(split[name] for split in counts.values()):,} {name}" for name in classes)
        by_split = (f"{sum(split.values()):,} {name}" for name, split in counts.items())
        line = f"{self.pictures:,} pictures ({', '.join(by_class)}): {', '.join(by_split)}"
        left_out = [f"{self.rejected:,} rejected"] if self.rejected else []
        if self.duplicates:
            left_out.append(f"{self.duplicates:,} duplicate{'s' * (self.duplicates > 1)}")
        return f"{line}; {', '.join(left_out)} (results/rejected.csv)" if left_out else line


def write_listing(left_out: Sequence[LeftOut], path: Path) -> None:
    """Write rejected.csv: path and reason of each file left out, sorted by path.

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
    """Write data.json."""
    content = json.dumps(report._asdict(), indent=2, sort_keys=True)
    path.write_text(content + "\n", encoding="utf-8")


def read_counts(path: Path) -> DataReport:
    """Read data.json.

    Raises:
        InputError: it is missing, or not as `write_counts` wrote it.
    """
    return read_whole(path, _counts)


def _counts(path: Path) -> DataReport:
    content = json.loads(path.read_text(encoding="utf-8"))
    return DataReport(*(_whole(content[key]) for key in DataReport._fields))


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError
    return value
