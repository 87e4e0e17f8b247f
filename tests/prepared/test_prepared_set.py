"""What is written to data/prepared is read back; what cannot be read is one line."""

import io
import json
import os
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from noise import write_prepared

from shallowdeep.files.errors import InputError
from shallowdeep.prepared import prepared_set
from shallowdeep.prepared.prepared_set import ManifestRow, Summary, as_table, read

NAMES = [
    "cat/plain.jpg",
    'cat/with space, comma and "quotes".jpg',
    "cat/new\nline, return\rand both\r\n.jpg",
    "cat/ätzend 猫.jpg",
    os.fsdecode(b"dog/not \xff UTF-8.jpg"),
    "dog/NaN",
]
FILES = ("pictures.npy", "gram.npy", "manifest.csv", "meta.json")
FOLDS = [2, 1, 0, 2, 2, 0]
GROUPS = [None, None, 1, None, 1, None]
SUMMARY = Summary(("cat", "dog"), 1, 4, (0.5, 0.4, 0.3), (0.1, 0.2, 1 / 3))
PICTURES = np.random.default_rng(0).integers(0, 256, (6, 3, 4, 4), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    entries = [
        ManifestRow(name, f"{i:064x}", int(name.startswith("dog")), fold, 300 + i, 200, group)
        for i, (name, fold, group) in enumerate(zip(NAMES, FOLDS, GROUPS, strict=True))
    ]
    np.save(tmp_path / "pictures.npy", PICTURES)
    np.save(tmp_path / "gram.npy", np.zeros((6, 6), dtype=np.float32))
    prepared_set.write(tmp_path, as_table(entries), SUMMARY)
    return tmp_path


def test_it_is_read_as_it_was_written(folder):
    """Names with line breaks, quotes and bytes that are not UTF-8 come back as they were.

    Rows of a split ascend; labels are indices into the classes; what is in memory is no file's.
    """
    found = read(folder)
    assert list(found.manifest["path"]) == NAMES
    assert list(found.manifest["fold"]) == FOLDS
    second = ManifestRow(*found.manifest.iloc[1])
    assert second == ManifestRow(NAMES[1], f"{1:064x}", 0, 1, 301, 200, 1)
    assert found.groups.tolist() == [0, 1, 1, 3, 1, 5]  # without others, its own row
    assert found.groups.dtype == np.int64
    assert (found.classes, found.folds, found.size, found.mean, found.std) == SUMMARY
    assert np.array_equal(found.pictures, PICTURES)
    assert found.gram().shape == (6, 6)
    assert found.rows("train").tolist() == [0, 3, 4]
    assert found.rows("test").tolist() == [2, 5]
    assert found.labels.tolist() == [0, 0, 0, 0, 1, 1]
    assert found.labels.dtype == np.int64
    assert found.labels.flags.writeable
    assert found.rows("train").flags.writeable
    found.pictures[:] = 0
    assert np.array_equal(read(folder).pictures, PICTURES)
    counts = json.loads((folder / "meta.json").read_text())["counts"]
    assert (counts["train"], counts["validation"]) == ({"cat": 2, "dog": 1}, {"cat": 1, "dog": 0})


class Malicious:
    """Runs code if it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("executed"),))


def objects(_):
    np.save(file := io.BytesIO(), np.array([Malicious()], dtype=object), allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "alter"),
    [
        *product(
            FILES,
            (lambda _: b"", lambda _: b"junk" * 99, lambda data: data[: len(data) // 2], objects),
        ),
        ("gram.npy", lambda data: data.replace(b"<f4", b"<i4")),
        ("manifest.csv", lambda data: data[: data.rindex(b'"dog/')]),
        ("manifest.csv", lambda data: data.replace(b"sha256", b"md5")),
        ("manifest.csv", lambda data: data + b"\0" + b'"' + b"x" * 200_000),
        ("meta.json", lambda _: b"[]"),
        ("meta.json", lambda data: data.replace(b'"size": 4', b'"size": 5')),
    ],
)
def test_what_cannot_be_read_is_one_line(folder, monkeypatch, name, alter):
    """Also a file of another shape than the others, or none; with the command that mends it."""
    monkeypatch.chdir(folder)
    path = folder / name
    whole = path.read_bytes()
    path.unlink()
    with pytest.raises(InputError, match=rf"{name}: no such file; `dvc repro prepare` makes it"):
        read(folder).gram()
    path.write_bytes(alter(whole))
    message = "altered or .*; `dvc repro --force prepare` makes it anew$"
    with pytest.raises(InputError, match=message):
        read(folder).gram()
    assert not Path("executed").exists()


def test_the_solver_is_the_one_that_prepare_has_chosen(folder):
    """Unless one is named."""
    assert [read(folder).solver_of(name) for name in ("auto", "primal")] == ["dual", "primal"]
    (folder / "gram.npy").unlink()
    assert [read(folder).solver_of(name) for name in ("auto", "dual")] == ["primal", "dual"]


def test_a_share_of_the_training_pictures_is_nested(tmp_path):
    """Class by class, each fold's own; other pictures stay, and another seed draws others."""
    ten = write_prepared(tmp_path / "ten", count=117, seed=0, folds=10)
    assert np.array_equal(replace(ten, share=1.0, seed=7).fold(3).train, ten.fold(3).train)
    larger = ten.fold(3)
    whole = np.bincount(ten.labels[larger.train])
    for share in (0.75, 0.5, 0.25, 0.125):
        shared = replace(ten, share=share)
        fold = shared.fold(3)
        assert set(fold.train) < set(larger.train)
        assert np.array_equal(np.bincount(ten.labels[fold.train]), np.round(share * whole))
        assert (np.diff(fold.train) > 0).all()
        for one, other in zip(fold[1:], larger[1:], strict=True):
            assert np.array_equal(one, other)
        assert set(replace(shared, seed=1).fold(3).train) != set(fold.train)
        assert shared.counts()["train"] == {
            name: int((shared.labels[shared.rows("train")] == label).sum())
            for label, name in enumerate(shared.classes)
        }
        larger = fold
    with pytest.raises(InputError, match=r"share: 0\.02 leaves 1 of 47 training pictures of"):
        replace(ten, share=0.02).fold(3)
