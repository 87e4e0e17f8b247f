"""A `prepare` that was interrupted goes on, to the same bytes, whatever is left of what it did."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shallowdeep.files.errors import InputError
from shallowdeep.pictures import preparation, so_far
from shallowdeep.pictures.listing import classes, listed
from shallowdeep.pictures.preparation import decode_all
from shallowdeep.pictures.so_far import SoFar, kept
from shallowdeep.settings.params import Data, Split

INPUTS = {"data": "a", "code": "b"}
DATA = Data(
    dir="set",
    size=8,
    max_pixels=10_000,
    on_reject="skip",
    on_conflict="skip",
    split=Split(train=0.5, validation=0.25, test=0.25),
    mean=0.5,
    std=0.5,
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Forty files: pictures, copies, one picture in both classes, and what is none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(so_far, "WORTH", 0)
    monkeypatch.setattr(so_far, "EVERY", 0)
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 256, (8, 8, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{number:02}.png")
    for path in ("set/cat/05.png", "set/dog/03.png", "set/dog/15.png"):
        (tmp_path / path).write_bytes(b"none")
    for path in ("set/cat/07.png", "set/cat/18.png", "set/dog/11.png"):
        (tmp_path / path).write_bytes((tmp_path / "set/cat/02.png").read_bytes())
    return tmp_path / "set"


def prepared(folder, *, inputs=INPUTS, data=DATA):
    """What becomes of the files, and the array's bytes."""
    files = listed(folder, classes(folder)).files
    with kept(inputs, otherwise=Path("array.npy")) as done:
        decoded = decode_all(folder, files, data, done)
        done.hand_over(Path("given.npy"))
        given = Path("given.npy" if inputs else "array.npy").read_bytes()
        Path("given.npy").unlink(missing_ok=True)
    return decoded, given


@pytest.fixture
def interrupted(folder, monkeypatch):
    """A preparation that Ctrl-C ended after 25 files; what it left is in .checkpoints."""
    whole = preparation.in_order

    def short(work, items, *, by):
        for number, outcome in enumerate(whole(work, items, by=by)):
            if number == 25:
                raise KeyboardInterrupt
            yield outcome

    monkeypatch.setattr(preparation, "in_order", short)
    with pytest.raises(KeyboardInterrupt):
        prepared(folder)
    monkeypatch.setattr(preparation, "in_order", whole)
    left = sorted(Path(".checkpoints").iterdir())
    assert [path.suffix for path in left] == [".jsonl", ".npy"]
    return left


@pytest.fixture
def decoded_files(monkeypatch):
    """The files that are decoded from now on."""
    seen = []
    decode = preparation.decode

    def noted(path, **options):
        seen.append(path)
        return decode(path, **options)

    monkeypatch.setattr(preparation, "decode", noted)
    return seen


@pytest.mark.usefixtures("interrupted")
def test_it_goes_on_where_it_was(folder, decoded_files):
    """The other 15 files are decoded, all comes out the same, and nothing is left."""
    found = prepared(folder)
    assert len(decoded_files) == 15
    assert found == prepared(folder, inputs=None)
    assert not Path(".checkpoints").exists()


def cut(path, count):
    path.write_bytes(path.read_bytes()[:-count])


def flip(path, where):
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)


DAMAGE = {
    "pixels cut": (lambda _, array: cut(array, 100), 1),
    "pixels longer": (lambda _, array: array.write_bytes(array.read_bytes() + bytes(999)), 0),
    "no pixels": (lambda _, array: array.write_bytes(b""), 25),
    "no array": (lambda _, array: array.unlink(), 25),
    "a pixel": (lambda _, array: flip(array, 128 + 4 * 192), 21),
    "header": (lambda _, array: flip(array, 70), 0),
    "line cut": (lambda lines, _: cut(lines, 3), 1),
    "line of something else": (
        lambda lines, _: lines.write_text(lines.read_text().replace("\n", '\n{"a": 1}\n', 1)),
        24,
    ),
    "no lines": (lambda lines, _: lines.write_text(""), 25),
    "not text": (lambda lines, _: lines.write_bytes(b"\xff\n" + lines.read_bytes()), 25),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_lost_is_decoded_again(folder, interrupted, decoded_files, damage):
    """And no more than that."""
    harm, lost = DAMAGE[damage]
    harm(*interrupted)
    found = prepared(folder)
    assert len(decoded_files) == 15 + lost
    assert found == prepared(folder, inputs=None)


def test_what_is_left_of_other_inputs_is_not_taken(folder, interrupted, decoded_files):
    """It stays for who takes them up again."""
    prepared(folder, inputs=INPUTS | {"code": "c"})
    assert len(decoded_files) == 40
    assert sorted(Path(".checkpoints").iterdir()) == interrupted


def test_a_mistake_leaves_nothing(folder):
    """Once it is mended, the inputs are others."""
    with pytest.raises(InputError, match=r"data\.on_reject: fail"):
        prepared(folder, data=DATA.model_copy(update={"on_reject": "fail"}))
    assert not Path(".checkpoints").exists()


@pytest.mark.usefixtures("folder")
def test_what_took_no_time_leaves_nothing(monkeypatch):
    """It is done again sooner than anybody could ask what the files are."""
    monkeypatch.setattr(so_far, "WORTH", 10)
    with pytest.raises(SystemExit), kept(INPUTS, otherwise=Path("array.npy")):
        raise SystemExit
    assert not Path(".checkpoints").exists()


@pytest.mark.usefixtures("folder")
def test_two_that_prepare_the_same_stay_apart():
    """The second keeps nothing, and is given an array of its own."""

    def second():
        with kept(INPUTS, otherwise=Path("own.npy")) as done:
            assert done.array == Path("own.npy")
            assert not done.goes_on

    with kept(INPUTS, otherwise=Path("array.npy")) as done:
        assert done.array != Path("array.npy")
        other = multiprocessing.get_context("fork").Process(target=second)
        other.start()
        other.join()
        assert other.exitcode == 0
        assert done.array.exists()


@pytest.mark.usefixtures("folder")
def test_what_has_no_hash_is_not_kept():
    """Nobody could tell what it is of."""
    with kept({"data": None}, otherwise=Path("array.npy")) as done:
        assert isinstance(done, SoFar)
        assert done.array == Path("array.npy")
    assert not Path(".checkpoints").exists()
