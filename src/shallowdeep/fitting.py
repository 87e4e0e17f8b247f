"""Set up the runs of one network on prepared pictures, for either solver."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from shallowdeep.dual import GramLayer
from shallowdeep.network import Layer, draw
from shallowdeep.normalisation import Normalisation
from shallowdeep.prepared import Prepared
from shallowdeep.primal import PixelLayer
from shallowdeep.training import FirstLayer, Labels, Runs


def set_up(
    prepared: Prepared,
    hidden: Sequence[int],
    seeds: Sequence[int],
    *,
    solver: Literal["primal", "dual"],
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> list[Runs]:
    """Draw initial weights and make ready to train.

    Args:
        prepared: the pictures; with their Gram matrix for the dual solver.
        hidden: widths of the hidden layers.
        seeds: one per run; a run's weights and batch orders come from its own seed alone.
        solver: which one moves the first layer.
        device: where it trains.
        dtype: of weights and arithmetic.

    Returns:
        Groups of runs. The dual solver and CUDA take all runs as one; the primal solver on a CPU
        takes one at a time, since a batch of ten runs, 63 MB, does not stay in a CPU's cache.
    """
    apart = solver == "primal" and device.type == "cpu"
    groups = [[seed] for seed in seeds] if apart else [list(seeds)]
    return [
        _group(prepared, hidden, group, solver=solver, device=device, dtype=dtype)
        for group in groups
    ]


def _group(
    prepared: Prepared,
    hidden: Sequence[int],
    seeds: Sequence[int],
    *,
    solver: Literal["primal", "dual"],
    device: torch.device,
    dtype: torch.dtype,
) -> Runs:
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    inputs = 3 * prepared.size**2
    first, *upper = (
        Layer(layer.weight.to(device, dtype), layer.bias.to(device, dtype))
        for layer in draw(inputs, hidden, generators)
    )
    train = torch.from_numpy(prepared.rows("train")).to(device)
    validation = torch.from_numpy(prepared.rows("validation")).to(device)
    labels = torch.from_numpy(prepared.labels).to(device, dtype)
    return Runs(
        _first_layer(first, prepared, train, validation, solver=solver),
        upper,
        Labels(labels[train], labels[validation]),
        generators,
    )


def _first_layer(
    layer: Layer,
    prepared: Prepared,
    train: Tensor,
    validation: Tensor,
    *,
    solver: Literal["primal", "dual"],
) -> FirstLayer:
    pictures = torch.from_numpy(prepared.pictures).to(train.device)
    normalisation = Normalisation(prepared.mean, prepared.std)
    if solver == "primal":
        return PixelLayer(layer, pictures, normalisation, train=train, validation=validation)
    gram = torch.from_numpy(prepared.gram()).to(layer.weight)
    return GramLayer(layer, pictures, normalisation, gram, train=train, validation=validation)
