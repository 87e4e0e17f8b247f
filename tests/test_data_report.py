"""What became of the files is said in full, and in one line."""

import csv
import json
import os

import pytest

from shallowdeep.data_report import in_words, write_counts, write_listing
from shallowdeep.picture_folder import Found
from shallowdeep.preparation import Accepted, Decoded, LeftOut

COUNTS = {"train": {"cat": 400, "dog": 401}, "test": {"cat": 100, "dog": 99}}
ACCEPTED = [Accepted(Found(f"cat/{i}", 0), "", 1, 1) for i in range(1_000)]
BAD = LeftOut("cat/z", "truncated")
SAME = LeftOut("cat/b\n,", "duplicate of cat/a")


@pytest.mark.parametrize(
    ("rejected", "duplicates", "ending"),
    [
        ([], [], ""),
        ([BAD], [], "; 1 rejected (results/rejected.csv)"),
        ([BAD] * 2_000, [SAME], "; 2,000 rejected, 1 duplicate (results/rejected.csv)"),
        ([], [SAME] * 2, "; 2 duplicates (results/rejected.csv)"),
    ],
)
def test_one_line_says_it_all(rejected, duplicates, ending):
    """Pictures by class, by split, and what was left out if anything was."""
    line = in_words(Decoded(ACCEPTED, rejected, duplicates), COUNTS, ("cat", "dog"))
    assert line == "1,000 pictures (500 cat, 500 dog): 801 train, 199 test" + ending


def test_the_listing_is_sorted_and_always_there(tmp_path):
    """A header when nothing was left out; names that are not UTF-8 with escapes."""
    path = tmp_path / "rejected.csv"
    write_listing(Decoded(ACCEPTED, [], []), path)
    assert path.read_text() == '"path","reason"\n'
    odd = LeftOut(os.fsdecode(b"cat/\xff"), "empty file")
    write_listing(Decoded(ACCEPTED, [odd, BAD], [SAME]), path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [["path", "reason"], list(SAME), list(BAD), ["cat/\\udcff", "empty file"]]


def test_the_counts_are_a_metric(tmp_path):
    """Pictures, files left out, and pictures by split and class."""
    write_counts(Decoded(ACCEPTED, [BAD], [SAME, SAME]), COUNTS, tmp_path / "data.json")
    assert json.loads((tmp_path / "data.json").read_text()) == {
        "pictures": 1_000,
        "rejected": 1,
        "duplicates": 2,
        "split": COUNTS,
    }
