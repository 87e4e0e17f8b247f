"""Stacked networks are plain PyTorch networks side by side."""

import pytest
import torch
from noise import logits
from torch import nn

from shallowdeep.training.network import draw


def sequential(inputs: int, hidden: list[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for n_prev, n in zip([inputs, *hidden], [*hidden, 1], strict=True):
        layers += [nn.Linear(n_prev, n), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("hidden", [[], [4], [5, 5, 3]])
def test_a_run_has_the_weights_that_pytorch_would_draw(hidden):
    """Run r of the stack equals `nn.Linear` layers made after `torch.manual_seed(seed + r)`."""
    layers = draw(48, hidden, [torch.Generator().manual_seed(seed) for seed in (7, 8)])
    inputs = torch.rand(48, 6)
    for run, seed in enumerate((7, 8)):
        torch.manual_seed(seed)
        peer = sequential(48, hidden)
        for layer, linear in zip(layers, peer[::2], strict=True):
            assert torch.equal(layer.weight[run], linear.weight)
            assert torch.equal(layer.bias[run, :, 0], linear.bias)
        torch.testing.assert_close(logits(layers, inputs)[run], peer(inputs.T)[:, 0].detach())
