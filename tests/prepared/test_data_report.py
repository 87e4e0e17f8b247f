"""What became of the files is said in full, and in one line."""

import csv
import json
import os

import pytest

from shallowdeep.files.errors import InputError
from shallowdeep.prepared import data_report
from shallowdeep.prepared.data_report import DataReport, LeftOut, read_counts, read_listing

CATS, DOGS = {"train": 400, "validation": 50, "test": 50}, (401, 49, 50)
COUNTS = {one: {"cat": CATS[one], "dog": n} for one, n in zip(CATS, DOGS, strict=True)}
REPORT = DataReport(1_000, 1, 2)
LISTINGS = ["", "path\n", "path,reason\na,b,c\n", '"path","reason"\n"a\n']
BAD = LeftOut("cat/z", "truncated")
SAME = LeftOut("cat/b\n,", "duplicate of cat/a")


def test_one_line_says_it_all(tmp_path):
    """Pictures by class, by split, and what was left out if anything was; counts have it, too."""
    whole = "1,000 pictures (500 cat, 500 dog): 801 train, 99 validation, 100 test"
    for rejected, duplicates, ending in (
        (0, 0, ""),
        (1, 0, "; 1 rejected (results/rejected.csv)"),
        (2_000, 1, "; 2,000 rejected, 1 duplicate (results/rejected.csv)"),
        (0, 2, "; 2 duplicates (results/rejected.csv)"),
    ):
        assert DataReport(1_000, rejected, duplicates).summary(COUNTS) == whole + ending
    report = DataReport(1_000, 1, 0, 4, 1, 1, 1, 20, 90, 2, 3, 58, "if they belong together")
    assert report.summary(COUNTS).endswith(
        "; 1 rejected, 4 in both classes (results/rejected.csv); 1 near-duplicate"
        " (results/near_duplicates.csv); 90 pictures in 20 groups (2 with both classes); 58 in"
        " hidden or sidecar folders skipped"
    )
    assert all(report[3:])
    few = {"pictures": 1_000, "rejected": 1, "duplicates": 2}
    for one, counts in ((report, report._asdict()), (REPORT, few)):
        data_report.write_counts(one, tmp_path / "data.json")
        assert read_counts(tmp_path / "data.json") == one
        assert json.loads((tmp_path / "data.json").read_text()) == counts


def test_the_listing_is_sorted_and_always_there(tmp_path):
    """A header when nothing was left out; names that are not UTF-8 with escapes."""
    path = tmp_path / "rejected.csv"
    data_report.write_listing([], path)
    assert path.read_text() == '"path","reason"\n'
    odd = LeftOut(os.fsdecode(b"cat/\xff"), "empty file")
    data_report.write_listing([odd, BAD, SAME], path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [["path", "reason"], list(SAME), list(BAD), ["cat/\\udcff", "empty file"]]
    assert read_listing(path) == [LeftOut(*row) for row in rows[1:]]
    markup = LeftOut("cat/</script><b>&\\u003c.jpg", "duplicate of cat/<i>.jpg")
    data_report.write_listing([markup], path)
    assert not set("<>&") & set(path.read_text())  # DVC puts it into a script as it is
    assert read_listing(path) == [markup]


@pytest.mark.parametrize(
    ("write", "read", "texts"),
    [
        (
            lambda path: data_report.write_counts(REPORT, path),
            read_counts,
            ['{"pictures": 1}', "[", "[1]"],
        ),
        (lambda path: data_report.write_listing([BAD], path), read_listing, LISTINGS),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path, write, read, texts):
    """A missing key, another header or number of columns, a broken file; and no file at all."""
    path = tmp_path / "file"
    with pytest.raises(InputError, match="no such file; `dvc repro prepare` makes it"):
        read(path)
    write(path)
    read(path)
    for text in texts:
        path.write_text(text)
        with pytest.raises(InputError, match=r"altered or of .*; `dvc repro --force prepare`"):
            read(path)
