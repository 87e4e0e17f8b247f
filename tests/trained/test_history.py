"""history.csv holds one row per run and epoch."""

import numpy as np
import pytest

from shallowdeep.files.errors import InputError
from shallowdeep.training import history

SIZES = {"folds": 2, "runs": 2, "epochs": 3}


@pytest.fixture
def path(tmp_path):
    """A history of two folds, two runs and three epochs."""
    runs = np.array([[0.7, 0.7, 0.5], [0.6, 0.8, 1.0]], np.float32)
    measures = np.tile(runs[None, :, None], (2, 1, 3, 1))
    measures[0, :, :, 0] /= [1, 2, 3]
    history.write(measures, tmp_path / "history.csv")
    return tmp_path / "history.csv"


def test_it_reads_as_people_expect(path):
    """Fold by fold, run by run, epochs from 1, six decimals."""
    lines = path.read_text().splitlines()
    assert lines[0] == "fold,run,epoch,train_loss,validation_loss,validation_accuracy"
    assert lines[1] == "0,0,1,0.700000,0.700000,0.500000"
    starts = ["0,0,1", "0,0,2", "0,0,3", "0,1,1", "0,1,2", "0,1,3", "1,0,1"]
    assert [line[:5] for line in lines[1:8]] == starts


def test_it_comes_back(path):
    """As folds x runs x epochs x measures."""
    measures = history.read(path, **SIZES)
    assert measures.shape == (2, 2, 3, 3)
    np.testing.assert_allclose(measures[0, 1, :, 0], [0.6, 0.3, 0.2])


@pytest.mark.parametrize("damage", ["", "run,epoch\n", "a,b,c\n1,2,3\n"])
def test_a_damaged_file_is_named(path, damage):
    """With the command that makes it anew."""
    path.write_text(damage)
    with pytest.raises(InputError, match=r"history\.csv: damaged, altered .*; `dvc repro --force`"):
        history.read(path, **SIZES)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1,0,2,", "1,0,1,"),
        ("1,1,3,", "1,7,3,"),
        ("1,1,3,", "9,1,3,"),
        ("0,0,1,0.7", "0,0,1,inf"),
        ("0,0,1,0.7", "0,0,1,x"),
        ("1,1,3,", "1,1,3e99,"),
    ],
)
def test_rows_that_are_not_as_they_were_written_are_noticed(path, old, new):
    """Out of order, of a run or fold too many, or no numbers."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match="damaged, altered"):
        history.read(path, **SIZES)


@pytest.mark.parametrize("other", [{"folds": 1}, {"runs": 4, "folds": 1}, {"epochs": 6, "runs": 1}])
def test_a_history_of_another_training_is_noticed(path, other):
    """Also where it has as many rows."""
    with pytest.raises(InputError, match="of another training"):
        history.read(path, **SIZES | other)


def test_a_truncated_file_is_noticed(path):
    """A run that lacks an epoch does not pass."""
    path.write_text(path.read_text()[:-40])
    with pytest.raises(InputError, match="damaged, altered"):
        history.read(path, **SIZES)


def test_a_missing_file_is_named(tmp_path):
    """With the command that makes it."""
    with pytest.raises(InputError, match="no such file; `dvc repro` makes it"):
        history.read(tmp_path / "history.csv", **SIZES)
