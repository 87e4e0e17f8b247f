"""Set up the runs of one network on prepared pictures, for either solver."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from shallowdeep.dual import GramLayer
from shallowdeep.network import Layer, draw
from shallowdeep.normalisation import Normalisation
from shallowdeep.prepared import Prepared
from shallowdeep.primal import Batches, PixelLayer
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
    train = torch.from_numpy(prepared.rows("train")).to(device)
    validation = torch.from_numpy(prepared.rows("validation")).to(device)
    of_all = torch.from_numpy(prepared.labels).to(device, dtype)
    labels = Labels(of_all[train], of_all[validation])
    first_layer = _first_layer(prepared, train, validation, solver=solver, dtype=dtype)
    inputs = 3 * prepared.size**2
    apart = solver == "primal" and device.type == "cpu"
    groups = [[seed] for seed in seeds] if apart else [list(seeds)]
    return [_group(inputs, hidden, group, first_layer, labels) for group in groups]


def _first_layer(
    prepared: Prepared,
    train: Tensor,
    validation: Tensor,
    *,
    solver: Literal["primal", "dual"],
    dtype: torch.dtype,
) -> Callable[[Layer], FirstLayer]:
    """What makes a solver's layer of initial weights; all that it makes share the pictures."""
    pictures = torch.from_numpy(prepared.pictures).to(train.device)
    normalisation = Normalisation(prepared.mean, prepared.std)
    if solver == "primal":
        batches = Batches(pictures, normalisation, dtype)
        return lambda layer: PixelLayer(layer, batches, train=train, validation=validation)
    gram = torch.from_numpy(prepared.gram())
    return lambda layer: GramLayer(
        layer, pictures, normalisation, gram, train=train, validation=validation
    )


def _group(
    inputs: int,
    hidden: Sequence[int],
    seeds: Sequence[int],
    first_layer: Callable[[Layer], FirstLayer],
    labels: Labels,
) -> Runs:
    """Runs that train in step."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    first, *upper = (
        Layer(layer.weight.to(labels.train), layer.bias.to(labels.train))
        for layer in draw(inputs, hidden, generators)
    )
    return Runs(first_layer(first), upper, labels, generators)
