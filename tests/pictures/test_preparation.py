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
from shallowdeep.pictures.near_duplicates import groups
from shallowdeep.pictures.preparation import InBothClasses, decode_all, manifest
from shallowdeep.settings import params
from shallowdeep.settings.params import Split

CLASSES = ("cat", "dog")
FRACTIONS = Split(train=0.6, validation=0.2, test=0.2)


def data(**changed):
    settings = params.read(ROOT / "params.yaml").data
    small = {"size": 8, "max_pixels": 10_000, "split": FRACTIONS}
    return settings.model_copy(update=small | changed)


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
    files = listed(folder, CLASSES).files
    return decode_all(folder, files, data(**options), folder.parent / "array.npy")


def test_rows_stand_in_the_order_of_the_files(folder):
    """Whatever is decoded first; each row is the picture's pixels, and its hash is theirs."""
    result = decoded(folder)
    array = np.load(folder.parent / "array.npy")
    files = listed(folder, CLASSES).files
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
    """The message names the first two files and how many pictures there are; all come with it."""
    for number in ("07", "09", "30"):
        shutil.copy(folder / "cat" / f"{number}.png", folder / "dog" / f"x{number}.png")
    shutil.copy(folder / "cat" / "07.png", folder / "cat" / "copy.png")
    (folder / "cat" / "05.png").write_bytes(b"")
    said = (
        r"^the same picture is in both classes: cat/07\.png and dog/x07\.png; pictures in both: 3,"
    )
    with pytest.raises(InBothClasses, match=said) as error:
        decoded(folder)
    same = {
        "cat/07.png": "dog/x07.png",
        "cat/09.png": "dog/x09.png",
        "cat/30.png": "dog/x30.png",
        "dog/x07.png": "cat/07.png",
        "dog/x09.png": "cat/09.png",
        "dog/x30.png": "cat/30.png",
        "cat/copy.png": "dog/x07.png",
    }
    files = {one.path: one.reason.removeprefix("the same picture as ") for one in error.value.files}
    assert files == same
    with pytest.raises(InBothClasses, match=r"1 file rejected, first cat/05\.png: empty file"):
        decoded(folder, on_reject="fail")  # both at once


def test_what_is_in_both_classes_can_be_left_out(folder):
    """All files of such pictures, copies too; the rest closes up, each row beside its picture."""
    for number in ("00", "07", "39"):
        shutil.copy(folder / "cat" / f"{number}.png", folder / "dog" / f"x{number}.png")
    shutil.copy(folder / "cat" / "07.png", folder / "cat" / "copy.png")
    shutil.copy(folder / "cat" / "08.png", folder / "cat" / "other copy.png")
    result = decoded(folder, on_conflict="skip")
    assert [one.path for one in result.duplicates] == ["cat/other copy.png"]
    assert len(result.conflicts) == 7
    array = np.load(folder.parent / "array.npy")
    assert len(array) == len(result.accepted) == 77
    for row, picture in zip(array, result.accepted, strict=True):
        assert picture.sha256 == hashlib.sha256(row.tobytes()).hexdigest()
    report = result.report()
    assert (report.pictures, report.duplicates, report.conflicts) == (77, 1, 7)


def test_a_file_that_asks_for_too_much_memory_costs_itself_alone(folder, monkeypatch):
    """Which it was is listed; the others are used."""

    def short(path, **options):
        if str(path).endswith("cat/05.png"):
            return decode(path, **options | {"size": 1_000_000})
        return decode(path, **options)

    monkeypatch.setattr(preparation, "decode", short)
    result = decoded(folder)
    assert [one.path for one in result.rejected] == ["cat/05.png"]
    assert result.rejected[0].reason.startswith("needs more memory than there is")
    assert len(result.accepted) == 79


def test_copies_of_other_sizes_lie_in_one_fold(tmp_path):
    """The manifest keeps near-duplicates together, in the order of the rows."""
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(20):
            image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
            image = image.resize((90, 90))
            image.save(tmp_path / "set" / name / f"{i:02}.png")
            if i < 5:
                image.resize((60, 50)).save(tmp_path / "set" / name / f"{i:02}.bmp")
    files = listed(tmp_path / "set", CLASSES).files
    large = data().model_copy(update={"size": 32})
    result = decode_all(tmp_path / "set", files, large, tmp_path / "array.npy")
    near = groups(np.load(tmp_path / "array.npy"))
    entries = manifest(result, CLASSES, FRACTIONS, folds=5, seed=0, near=near)
    of = dict(zip(entries["path"], entries["fold"], strict=True))
    copies = [path for path in of if path.endswith(".bmp")]
    assert len(copies) == 10
    assert all(of[path] == of[path.replace(".bmp", ".png")] for path in copies)


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
