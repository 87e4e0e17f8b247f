"""Many pictures are decoded in order, each distinct one once."""

import hashlib
import os
import shutil

import numpy as np
import pytest
from checkouts import ROOT
from PIL import Image

from shallowdeep.files.errors import InputError
from shallowdeep.pictures import preparation
from shallowdeep.pictures.decoding import decode
from shallowdeep.pictures.listing import listed
from shallowdeep.pictures.preparation import InBothClasses, decode_all, manifest
from shallowdeep.settings import params
from shallowdeep.settings.params import Split

CLASSES = ("cat", "dog")
SMALL = {"size": 8, "max_pixels": 10_000, "split": Split(train=0.6, validation=0.2, test=0.2)}


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


def copied(folder, *names):
    """Copy pictures of cats: (number, name of the copy) each."""
    for number, name in names:
        shutil.copy(folder / f"cat/{number}.png", folder / name)


def decoded(folder, **options):
    data = params.read(ROOT / "params.yaml").data.model_copy(update=SMALL | options)
    return decode_all(folder, listed(folder, CLASSES).files, data, folder.parent / "array.npy")


def table(result):
    return manifest(result, CLASSES, SMALL["split"], folds=1, seed=0)


def test_rows_stand_in_the_order_of_the_files_whatever_the_cores(folder):
    """Row, hash and entry of the manifest are those of one picture; one core gives the same."""
    result = decoded(folder)
    array = np.load(folder.parent / "array.npy")
    assert array.shape == (80, 3, 8, 8)
    entries = table(result)
    assert (
        list(zip(entries["path"], entries["label"], strict=True)) == listed(folder, CLASSES).files
    )
    assert list(entries["fold"]).count(2) == 48
    for row, one in zip(array, entries.itertuples(), strict=True):
        expected = decode(folder / one.path, size=8, max_pixels=10_000)
        assert np.array_equal(row, expected.pixels)
        assert one.sha256 == hashlib.sha256(row.tobytes()).hexdigest()
        assert (one.width, one.height) == expected[1:]
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        assert decoded(folder) == result
    finally:
        os.sched_setaffinity(0, cores)
    assert np.array_equal(np.load(folder.parent / "array.npy"), array)


def test_the_same_picture_is_kept_once(folder):
    """Under another name, and stored in another format; that is nothing to fail for."""
    copied(folder, ("07", "cat/copy.png"))
    Image.open(folder / "cat/07.png").save(folder / "cat/a.bmp")
    result = decoded(folder, on_reject="fail")
    same = "duplicate of cat/07.png"
    assert result.duplicates == [("cat/a.bmp", same), ("cat/copy.png", same)]
    assert len(result.accepted) == 80


def test_the_same_picture_cannot_be_both(folder):
    """The message names the first two files and how many pictures there are; all come with it."""
    copied(folder, *((number, f"dog/x{number}.png") for number in ("07", "09", "30")))
    copied(folder, ("07", "cat/copy.png"))
    (folder / "cat/05.png").write_bytes(b"")
    both = (
        r"^the same picture is in both classes: cat/07\.png and dog/x07\.png; pictures in both: 3,"
    )
    with pytest.raises(InBothClasses, match=both) as error:
        decoded(folder)
    same = {f"cat/{number}.png": f"dog/x{number}.png" for number in ("07", "09", "30")}
    same |= {other: one for one, other in same.items()} | {"cat/copy.png": "dog/x07.png"}
    files = {one.path: one.reason.removeprefix("the same picture as ") for one in error.value.files}
    assert files == same
    with pytest.raises(InBothClasses, match=r"1 file rejected, first cat/05\.png: empty file"):
        decoded(folder, on_reject="fail")  # both at once


def test_what_is_in_both_classes_can_be_left_out(folder):
    """All files of such pictures, copies too; the rest closes up, each row beside its picture."""
    copied(folder, *((number, f"dog/x{number}.png") for number in ("00", "07", "39")))
    copied(folder, ("07", "cat/copy.png"), ("08", "cat/other copy.png"))
    (folder / "cat/10.png").write_bytes(b"")
    result = decoded(folder, on_conflict="skip")
    assert [one.path for one in result.duplicates] == ["cat/other copy.png"]
    assert result.rejected == [("cat/10.png", "empty file")]
    assert len(result.conflicts) == 7
    array = np.load(folder.parent / "array.npy")
    assert len(array) == 76
    for row, picture in zip(array, result.accepted, strict=True):
        assert picture.sha256 == hashlib.sha256(row.tobytes()).hexdigest()


def test_a_file_that_asks_for_too_much_memory_costs_itself_alone(folder, monkeypatch):
    """Which it was is listed; the others are used."""

    def short(path, **options):
        large = {"size": 1_000_000} if str(path).endswith("cat/05.png") else {}
        return decode(path, **options | large)

    monkeypatch.setattr(preparation, "decode", short)
    result = decoded(folder)
    ((path, reason),) = result.rejected
    assert path == "cat/05.png" and reason.startswith("needs more memory than there is")
    assert len(result.accepted) == 79


def test_too_few_pictures_because_of_rejected_ones(folder):
    """A class without any is named with the usual reason, before folds; else the first file is."""
    heic = (24).to_bytes(4) + b"ftypheic" + bytes(12)
    for number, path in enumerate(sorted((folder / "dog").iterdir())):
        path.write_bytes(heic if number else b"")
    none = "^data: class dog: none of its 40 files is a picture that can be read; 39 of them: HEIC"
    with pytest.raises(InputError, match=none):
        table(decoded(folder))
    (folder / "cat/00.png").rename(folder / "dog/00.png")
    with pytest.raises(InputError, match=r"dog: 1 usable.*39 files rejected, first dog/01.*: HEIC"):
        table(decoded(folder))


def test_no_pictures_at_all_are_an_array_without_rows(tmp_path):
    """The split complains of it."""
    for name in CLASSES:
        (tmp_path / "set" / name).mkdir(parents=True)
    assert decoded(tmp_path / "set").accepted == []
    assert np.load(tmp_path / "array.npy").shape == (0, 3, 8, 8)
