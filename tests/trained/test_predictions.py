"""predictions.safetensors is read back as written, and refused in one line otherwise."""

import pytest
from random_predictions import drawn

from shallowdeep.files.errors import InputError
from shallowdeep.trained.predictions import read, write

ASKED = {"epochs": 2, "runs": 3, "tested": 8}


@pytest.fixture
def path(pictures, tmp_path):
    """A file of three runs after two epochs."""
    write(drawn(pictures, 0.6), tmp_path / "predictions.safetensors")
    return tmp_path / "predictions.safetensors"


def test_predictions_are_read_back(pictures, path):
    """All numbers, and the same bytes when they are written again."""
    found, expected = read(path, **ASKED), drawn(pictures, 0.6)
    assert found.epochs == expected.epochs
    for one, other in zip(found[1:], expected[1:], strict=True):
        assert one.dtype == other.dtype
        assert (one == other).all()
    before = path.read_bytes()
    write(found, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("key", ASKED)
def test_those_of_another_training_are_refused(path, key):
    """Of more epochs or runs, or of other pictures."""
    with pytest.raises(InputError, match="damaged, or of another training; `dvc repro --force`"):
        read(path, **ASKED | {key: ASKED[key] + 1})


def test_a_damaged_or_missing_file_is_refused(path):
    """Whatever was lost of it."""
    whole = path.read_bytes()
    for damaged in (
        b"",
        whole[:4],
        whole[:-1],
        whole.replace(b"shallowdeep", b"shallowdeer"),
        b"x",
    ):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged"):
            read(path, **ASKED)
    path.unlink()
    with pytest.raises(InputError, match="no such file; `dvc repro` makes it"):
        read(path, **ASKED)
