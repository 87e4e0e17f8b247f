"""Many pictures are decoded in order, each distinct one once."""

import hashlib
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.decoding import decode
from shallowdeep.pictures.listing import find
from shallowdeep.pictures.preparation import decode_all, manifest
from shallowdeep.settings.params import Data, Split

CLASSES = ("cat", "dog")
FRACTIONS = Split(train=0.6, validation=0.2, test=0.2)


def data(*, on_reject="skip"):
    return Data(
        dir=".",
        size=8,
        max_pixels=10_000,
        on_reject=on_reject,
        split=FRACTIONS,
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
    )


@pytest.fixture
def folder(tmp_path):
    """Two classes of 40 pictures; large ones, which take longer, come first."""
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(40):
            side = 90 - 2 * i
            noise = rng.integers(0, 256, (side, side + 1, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "set" / name / f"{i:02}.png")
    return tmp_path / "set"


def decoded(folder, **options):
    return decode_all(folder, find(folder, CLASSES), data(**options), folder.parent / "array.npy")


def test_rows_stand_in_the_order_of_the_files(folder):
    """Whatever is decoded first; each row is the picture's pixels, and its hash is theirs."""
    result = decoded(folder)
    array = np.load(folder.parent / "array.npy")
    files = find(folder, CLASSES)
    assert array.shape == (80, 3, 8, 8)
    assert [picture.found for picture in result.accepted] == files
    for row, picture in zip(array, result.accepted, strict=True):
        expected = decode(folder / picture.found.path, size=8, max_pixels=10_000)
        assert np.array_equal(row, expected.pixels)
        assert picture.sha256 == hashlib.sha256(row.tobytes()).hexdigest()
        assert (picture.width, picture.height) == (expected.width, expected.height)


def test_one_core_gives_the_same_bytes(folder):
    """As many cores as there are, or one."""
    everything = decoded(folder)
    expected = (folder.parent / "array.npy").read_bytes()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        assert decoded(folder) == everything
    finally:
        os.sched_setaffinity(0, cores)
    assert (folder.parent / "array.npy").read_bytes() == expected


def test_what_is_no_picture_leaves_no_row(folder):
    """It is listed with its reason, and the rest closes up."""
    (folder / "cat" / "05.png").write_bytes(b"")
    (folder / "dog" / "39.png").write_text("words")
    result = decoded(folder)
    assert [one.path for one in result.rejected] == ["cat/05.png", "dog/39.png"]
    assert result.rejected[0].reason == "empty file"
    assert len(np.load(folder.parent / "array.npy")) == len(result.accepted) == 78


def test_none_may_be_rejected_if_so_wished(folder):
    """All are looked at, so that the message can say how many there are."""
    (folder / "cat" / "05.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"^1 file rejected, first cat/05.png: empty file; data"):
        decoded(folder, on_reject="fail")
    (folder / "dog" / "39.png").write_text("words")
    with pytest.raises(InputError, match=r"2 files rejected, first cat/05\.png: empty file; data"):
        decoded(folder, on_reject="fail")


def test_the_same_picture_is_kept_once(folder):
    """Under another name, and stored in another format; that is nothing to fail for."""
    shutil.copy(folder / "cat" / "07.png", folder / "cat" / "copy.png")
    Image.open(folder / "cat" / "07.png").save(folder / "cat" / "a.bmp")
    result = decoded(folder, on_reject="fail")
    assert result.duplicates == [
        ("cat/a.bmp", "duplicate of cat/07.png"),
        ("cat/copy.png", "duplicate of cat/07.png"),
    ]
    assert len(result.accepted) == 80


def test_the_same_picture_cannot_be_both(folder):
    """The message names both files."""
    shutil.copy(folder / "cat" / "07.png", folder / "dog" / "x.png")
    with pytest.raises(InputError, match=r"in both classes: cat/07\.png and dog/x\.png"):
        decoded(folder)


def test_no_pictures_at_all(tmp_path):
    """An array without rows, for the split to complain of."""
    assert decode_all(tmp_path, [], data(), tmp_path / "array.npy").accepted == []
    assert np.load(tmp_path / "array.npy").shape == (0, 3, 8, 8)


def test_the_manifest_follows_the_rows(folder):
    """One entry a row, split as asked."""
    result = decoded(folder)
    entries = manifest(result, CLASSES, FRACTIONS, folds=1, seed=0)
    assert list(entries["path"]) == [one.found.path for one in result.accepted]
    assert list(entries["sha256"]) == [one.sha256 for one in result.accepted]
    assert list(entries["fold"]).count(2) == 48
    assert entries["width"][0] == 91


def test_too_few_pictures_because_of_rejected_ones(folder):
    """Then the message says that files were rejected, and why the first."""
    for path in (folder / "dog").iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"dog: 0 usable.*40 files rejected, first dog/00.*empty"):
        manifest(decoded(folder), CLASSES, FRACTIONS, folds=1, seed=0)
