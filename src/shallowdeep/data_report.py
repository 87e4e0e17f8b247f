"""results/data.json and results/rejected.csv: what became of the files of a data set."""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from shallowdeep.preparation import Decoded
from shallowdeep.split import SplitName

Counts = Mapping[SplitName, Mapping[str, int]]  # pictures by split and class


def write_listing(decoded: Decoded, path: Path) -> None:
    """Write rejected.csv: path and reason of each file left out, sorted by path.

    Names that are not UTF-8 stand with escapes (manifest.csv has them byte for byte): DVC draws
    this file, and fails on bytes that are not UTF-8.
    """
    left_out = sorted(decoded.rejected + decoded.duplicates, key=lambda one: os.fsencode(one.path))
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        rows = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        rows.writerow(("path", "reason"))
        rows.writerows(left_out)


def write_counts(decoded: Decoded, counts: Counts, path: Path) -> None:
    """Write data.json: how many pictures there are, and how many files were left out."""
    report = {
        "pictures": len(decoded.accepted),
        "rejected": len(decoded.rejected),
        "duplicates": len(decoded.duplicates),
        "split": counts,
    }
    path.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def in_words(decoded: Decoded, counts: Counts, classes: Sequence[str]) -> str:
    """One line for the terminal."""
    total = sum(sum(split.values()) for split in counts.values())
    by_class = (f"{sum(split[name] for split in counts.values()):,} {name}" for name in classes)
    by_split = (f"{sum(split.values()):,} {name}" for name, split in counts.items())
    line = f"{total:,} pictures ({', '.join(by_class)}): {', '.join(by_split)}"
    left_out = [f"{len(decoded.rejected):,} rejected"] if decoded.rejected else []
    if decoded.duplicates:
        ending = "s" if len(decoded.duplicates) > 1 else ""
        left_out.append(f"{len(decoded.duplicates):,} duplicate{ending}")
    return f"{line}; {', '.join(left_out)} (results/rejected.csv)" if left_out else line
