"""Set up the runs of one network on prepared pictures, for either solver."""

from collections.abc import Sequence
from typing import Literal

import torch

from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.training.dual import GramLayer
from shallowdeep.training.network import Layer, draw
from shallowdeep.training.primal import Batches, PixelLayer
from shallowdeep.training.sgd import FirstLayer, Labels, Runs


def set_up(
    prepared: Prepared,
    hidden: Sequence[int],
    seeds: Sequence[int],
    *,
    solver: Literal["primal", "dual"],
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> Runs:
    """Draw initial weights and make ready to train.

    Args:
        prepared: the pictures; with their Gram matrix for the dual solver.
        hidden: widths of the hidden layers.
        seeds: one per run; a run's weights and batch orders come from its own seed alone.
        solver: which one moves the first layer.
        device: where it trains.
        dtype: of weights and arithmetic.

    Returns:
        The runs. The dual solver and CUDA train all in step; the primal solver on a CPU trains one
        at a time, since a batch of ten runs, 63 MB, does not stay in a CPU's cache.
    """
    train = torch.from_numpy(prepared.rows("train")).to(device)
    validation = torch.from_numpy(prepared.rows("validation")).to(device)
    of_all = torch.from_numpy(prepared.labels).to(device, dtype)
    labels = Labels(of_all[train], of_all[validation])
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    first, *upper = (
        Layer(layer.weight.to(device, dtype), layer.bias.to(device, dtype))
        for layer in draw(3 * prepared.size**2, hidden, generators)
    )
    pictures = torch.from_numpy(prepared.pictures).to(device)
    normalisation = Normalisation(prepared.mean, prepared.std)
    layer: FirstLayer
    if solver == "primal":
        batches = Batches(pictures, normalisation, dtype)
        layer = PixelLayer(first, batches, train=train, validation=validation)
    else:
        gram = torch.from_numpy(prepared.gram())
        layer = GramLayer(first, pictures, normalisation, gram, train=train, validation=validation)
    one_by_one = solver == "primal" and device.type == "cpu"
    turns = [slice(run, run + 1) for run in range(len(seeds))] if one_by_one else [slice(None)]
    return Runs(layer, upper, labels, generators, turns=turns)
