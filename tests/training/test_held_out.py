"""answers.npy is read back as it was written, and only beside its own model."""

import numpy as np
import pytest

from shallowdeep.files.checksums import of_array
from shallowdeep.files.errors import InputError
from shallowdeep.training import held_out
from shallowdeep.training.made import Made

ANSWERS = np.random.default_rng(0).random((2, 3, 40), dtype=np.float32)
MADE = Made("", of_array(ANSWERS), [1, 2], {})


@pytest.fixture
def path(tmp_path):
    held_out.write(ANSWERS, tmp_path / "answers.npy")
    return tmp_path / "answers.npy"


def test_it_comes_back(path):
    """Every epoch that was asked for, run and tested picture."""
    assert np.array_equal(held_out.read(path, MADE, runs=3, tested=40), ANSWERS)


def test_the_same_answers_are_the_same_bytes(path, tmp_path):
    """Also those of a training in float64."""
    held_out.write(ANSWERS.astype(np.float64), tmp_path / "again.npy")
    assert (tmp_path / "again.npy").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "alter",
    [
        lambda data: data[:-4],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data.replace(b"<f4", b"<i4"),
        lambda data: data.replace(b"(2, 3, 40)", b"(2, 40, 3)"),
        lambda _: b"",
        lambda _: b"words",
        lambda data: data[:10],
    ],
    ids=["cut", "flipped", "integers", "turned", "empty", "words", "header"],
)
def test_altered_answers_are_named(path, alter):
    """With the command that makes them anew."""
    path.write_bytes(alter(path.read_bytes()))
    with pytest.raises(InputError, match=r"answers\.npy: not what .* `dvc repro --force`"):
        held_out.read(path, MADE, runs=3, tested=40)


def test_code_in_the_file_is_not_run(path):
    """An array of objects is a pickle."""
    np.save(path, np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="not what the model said"):
        held_out.read(path, MADE, runs=3, tested=40)


@pytest.mark.parametrize(
    ("made", "runs", "tested"),
    [
        (MADE._replace(answers="0"), 3, 40),
        (MADE._replace(asked=[1, 2, 3]), 3, 40),
        (MADE, 4, 40),
        (MADE, 3, 41),
    ],
)
def test_answers_of_another_training_are_named(path, made, runs, tested):
    """Of other weights, epochs, runs or pictures."""
    with pytest.raises(InputError, match="not what the model said when it was trained"):
        held_out.read(path, made, runs=runs, tested=tested)


def test_missing_answers_are_named(tmp_path):
    """With the command that makes them."""
    with pytest.raises(InputError, match=r"answers\.npy: no such file; `dvc repro` makes it"):
        held_out.read(tmp_path / "answers.npy", MADE, runs=3, tested=40)
