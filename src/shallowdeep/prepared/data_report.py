"""Reports on a data set's files: results/data.json, results/rejected.csv and similar lists."""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from shallowdeep.files.markup import escape, unescape
from shallowdeep.files.reading import read_or_explain
from shallowdeep.prepared.folds import SPLITS, SplitName

Counts = Mapping[SplitName, Mapping[str, int]]  # pictures by split of fold 0 and class

COLUMNS = ("path", "reason")


class LeftOut(NamedTuple):
    """A file that is not in the array, and the reason."""

    path: str
    reason: str


class DataReport(NamedTuple):
    """Numbers of pictures and of files that were left out."""

    pictures: int
    rejected: int
    duplicates: int
    conflicts: int = 0  # files of pictures that are in both classes
    near_duplicates: int = 0  # copies of another size or compression, or mirrored
    mirrored: int = 0  # of these
    near_duplicates_ignored: int = 0  # that are not in the group of the picture they are like
    groups: int = 0  # of several pictures
    grouped: int = 0  # pictures in them
    groups_of_both_classes: int = 0
    unnamed: int = 0  # pictures whose path data.group does not match
    skipped: int = 0  # files in hidden and in sidecar folders
    warning: str = ""  # if names tell that pictures belong together

    def summary(self, counts: Counts) -> str:
        """Return one line for the terminal."""
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
        if self.groups:
            line += f"; {self.grouped:,} pictures in {self.groups:,} group{'s' * (self.groups > 1)}"
        if self.groups_of_both_classes:
            line += f" ({self.groups_of_both_classes:,} with both classes)"
        if self.skipped:
            line += f"; {self.skipped:,} in hidden or sidecar folders skipped"
        return line


def write_listing(left_out: Sequence[LeftOut], path: Path) -> None:
    """Write rejected.csv: path and reason of each file left out, sorted by path.

    near_duplicates.csv and conflicts.csv have the same format.

    Markup and bytes that are not UTF-8 are escaped (manifest.csv has them byte for byte): DVC puts
    this file into a page as it is, where markup would run, and fails on bytes that are not UTF-8.
    """
    ordered = sorted(left_out, key=lambda one: os.fsencode(one.path))
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        rows = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        rows.writerow(COLUMNS)
        rows.writerows(map(escape, one) for one in ordered)


def read_listing(path: Path) -> list[LeftOut]:
    """Read rejected.csv.

    Raises:
        InputError: it is missing or cannot be read.
    """
    return read_or_explain(path, _listing, stage="prepare")


def _listing(path: Path) -> list[LeftOut]:
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    if tuple(header) != COLUMNS:
        raise ValueError
    return [LeftOut(unescape(name), unescape(reason)) for name, reason in rows]


def write_counts(report: DataReport, path: Path) -> None:
    """Write data.json, without optional numbers that are 0."""
    optional = DataReport._field_defaults
    counts = {key: value for key, value in report._asdict().items() if key not in optional or value}
    content = json.dumps(counts, indent=2, sort_keys=True)
    path.write_text(content + "\n", encoding="utf-8")


def read_counts(path: Path) -> DataReport:
    """Read data.json.

    Raises:
        InputError: it is missing or cannot be read.
    """
    return read_or_explain(
        path, lambda path: DataReport(**json.loads(path.read_text("utf-8"))), stage="prepare"
    )
