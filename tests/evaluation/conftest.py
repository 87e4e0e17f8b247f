"""Models to evaluate."""

import pytest
import torch

from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.training.made import Made
from shallowdeep.training.model import Model
from shallowdeep.training.network import draw


@pytest.fixture
def models(pictures):
    """Two untrained models of three runs."""
    half = Normalisation(pictures.mean, pictures.std)
    seeds = [0, 1, 2]
    return {
        name: Model(
            draw(432, hidden, [torch.Generator().manual_seed(seed) for seed in seeds]),
            seeds,
            pictures.classes,
            pictures.size,
            half,
            Made(pictures.sha256, "", [1], {}),
        )
        for name, hidden in (("shallow", [4]), ("deep", [5, 5, 3]))
    }
