"""history.csv holds one row per run and epoch."""

import numpy as np
import pytest
import torch

from shallowdeep.files.errors import InputError
from shallowdeep.training import history
from shallowdeep.training.sgd import Epoch


@pytest.fixture
def path(tmp_path):
    """A history of two runs and three epochs."""
    epochs = [
        Epoch(torch.tensor([0.7, 0.6]) / n, torch.tensor([0.7, 0.8]), torch.tensor([0.5, 1.0]))
        for n in (1, 2, 3)
    ]
    history.write(epochs, tmp_path / "history.csv")
    return tmp_path / "history.csv"


def test_it_reads_as_people_expect(path):
    """Run by run, epochs from 1, six decimals."""
    lines = path.read_text().splitlines()
    assert lines[0] == "run,epoch,train_loss,validation_loss,validation_accuracy"
    assert lines[1] == "0,1,0.700000,0.700000,0.500000"
    assert [line[:4] for line in lines[1:]] == ["0,1,", "0,2,", "0,3,", "1,1,", "1,2,", "1,3,"]


def test_it_comes_back(path):
    """As runs x epochs x measures."""
    measures = history.read(path)
    assert measures.shape == (2, 3, 3)
    np.testing.assert_allclose(measures[1, :, 0], [0.6, 0.3, 0.2])


@pytest.mark.parametrize("damage", ["", "run,epoch\n", "a,b,c\n1,2,3\n"])
def test_a_damaged_file_is_named(path, damage):
    """With the command that makes it anew."""
    path.write_text(damage)
    with pytest.raises(InputError, match=r"history\.csv: damaged or altered; `dvc repro --force`"):
        history.read(path)


def test_a_truncated_file_is_noticed(path):
    """A run that lacks an epoch does not pass."""
    path.write_text(path.read_text()[:-40])
    with pytest.raises(InputError, match="damaged or altered"):
        history.read(path)


def test_a_missing_file_is_named(tmp_path):
    """With the command that makes it."""
    with pytest.raises(InputError, match="no such file; `dvc repro` makes it"):
        history.read(tmp_path / "history.csv")
