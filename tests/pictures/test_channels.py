"""Mean and standard deviation are those of the training pictures."""

import numpy as np
import pytest
from checkouts import ROOT

from shallowdeep.files.errors import InputError
from shallowdeep.pictures import channels
from shallowdeep.pictures.channels import mean_and_std, normalisation
from shallowdeep.settings import params

PICTURES = np.random.default_rng(0).integers(0, 200, (20, 3, 7, 7), dtype=np.uint8)
TRAIN = np.array([0, 3, 4, 17])


def test_they_are_measured_per_channel_unless_given(tmp_path, monkeypatch):
    """As numpy computes them in float64, from the rows named, block by block."""
    monkeypatch.setattr(channels, "BLOCK", 3)
    array = tmp_path / "pictures.npy"
    np.save(array, PICTURES)

    def data(mean, std):
        settings = params.read(ROOT / "params.yaml").data
        return settings.model_copy(update={"mean": mean, "std": std})

    measured, given = mean_and_std(array, TRAIN), (0.5, 0.4, 0.3)
    inputs = PICTURES[TRAIN] / 255
    np.testing.assert_allclose(measured.mean, inputs.mean((0, 2, 3)), rtol=1e-13)
    np.testing.assert_allclose(measured.std, inputs.std((0, 2, 3)), rtol=1e-13)
    assert normalisation(array, TRAIN, data(given, given)) == (given, given)
    assert normalisation(array, TRAIN, data("train", given)) == (measured.mean, given)
    assert normalisation(array, TRAIN, data(given, "train")) == (given, measured.std)
    np.save(array, np.where(np.arange(3)[:, None, None] == 1, 9, PICTURES).astype(np.uint8))
    with pytest.raises(InputError, match=r"data\.std: train: a channel has the same value"):
        normalisation(array, TRAIN, data("train", "train"))
    assert normalisation(array, TRAIN, data("train", (1, 1, 1))).mean[1] == 9 / 255
