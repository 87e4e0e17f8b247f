"""Training is mini-batch SGD as PyTorch does it, whichever solver and however many runs."""

from itertools import chain, pairwise

import numpy as np
import pytest
import torch
from noise import logits, trained, write_prepared
from torch import nn

from shallowdeep.pictures.gram import gram
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.training.network import Layer
from shallowdeep.training.primal import Batches

NETWORKS = ([], [4], [5, 5, 3])
solvers = pytest.mark.parametrize("solver", ["primal", "dual"])


def inputs(pictures, split, dtype=torch.float64):
    rows = pictures.rows(split)
    array = torch.from_numpy(np.array(pictures.pictures[rows]))
    out = torch.empty(array.shape, dtype=dtype)
    normalised = Normalisation(pictures.mean, pictures.std).apply(array, out=out)
    return normalised.flatten(1), torch.from_numpy(pictures.labels[rows]).to(dtype)


class ExactPrepared(Prepared):
    """Prepared pictures whose Gram matrix is in float64; `prepare` rounds it to float32."""

    def gram(self):
        """Of the normalised pictures, by the project's own function."""
        out = np.empty((len(self.labels), len(self.labels)))
        gram(self.pictures, Normalisation(self.mean, self.std), out=out)
        return out


def by_torch(pictures, hidden, *, init="torch", **of_sgd):
    """The same training by nn.Sequential and torch.optim.SGD: losses and linear layers."""
    generator = torch.Generator().manual_seed(3)
    torch.manual_seed(3)
    linears = [nn.Linear(*two) for two in pairwise([3 * pictures.size**2, *hidden, 1])]
    if init == "he":
        torch.manual_seed(3)
        for linear in linears:
            nn.init.kaiming_uniform_(linear.weight, nonlinearity="relu")
            nn.init.uniform_(linear.bias)  # a draw, so that the batch orders stay the same
            nn.init.zeros_(linear.bias)
    layers = chain.from_iterable((linear, nn.ReLU()) for linear in linears)
    network = nn.Sequential(*[*layers][:-1])
    for parameter in network.parameters():  # the draws that came before the batch orders
        torch.empty(parameter.shape).uniform_(generator=generator)
    network.double()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.05, **of_sgd)
    images, labels = inputs(pictures, "train")
    losses = torch.zeros(10, dtype=torch.float64)
    for epoch in range(10):
        for batch in torch.randperm(len(labels), generator=generator).split(16):
            optimiser.zero_grad()
            outputs = network(images[batch])[:, 0]
            loss = nn.functional.binary_cross_entropy_with_logits(outputs, labels[batch])
            loss.backward()
            optimiser.step()
            losses[epoch] += loss.detach() * len(batch) / len(labels)
    return losses, linears


OPTIMISERS = [
    {},
    {"init": "he"},
    {"momentum": 0.9},
    {"weight_decay": 0.1},
    {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01, "init": "he"},
]


@pytest.mark.parametrize("options", OPTIMISERS, ids=str)
@pytest.mark.parametrize("hidden", NETWORKS, ids=str)
@solvers
def test_it_is_what_pytorch_does(pictures, hidden, solver, options):
    """Losses and weights agree to 1e-9 over 60 steps in float64, a smaller last batch included."""
    pictures = ExactPrepared(**vars(pictures))
    layers, epochs = trained(pictures, hidden, [3], solver=solver, dtype=torch.float64, **options)
    losses, linears = by_torch(pictures, hidden, **options)
    np.testing.assert_allclose([float(epoch.train_loss) for epoch in epochs], losses, rtol=1e-9)
    for layer, linear in zip(layers, linears, strict=True):
        torch.testing.assert_close(layer.weight[0], linear.weight.detach(), rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(layer.bias[0, :, 0], linear.bias.detach(), rtol=1e-9, atol=1e-9)


def test_the_solvers_agree_on_large_pictures(tmp_path):
    """As params.yaml has them, in float64, where rounding does not grow to anything."""
    small = write_prepared(tmp_path / "prepared", count=120, seed=0, brighter=4, size=128)
    options = {"dtype": torch.float64, "epochs": 5, "batch_size": 32, "lr": 0.01}
    pictures = ExactPrepared(**vars(small))
    one, other = (
        trained(pictures, [5, 5, 3], range(3), solver=solver, **options)[1]
        for solver in ("primal", "dual")
    )
    assert one[0].train_loss.min() > one[-1].train_loss.min(), "nothing was learnt"
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(torch.stack(a), torch.stack(b), rtol=1e-9, atol=0)


def test_batches_share_one_buffer(pictures):
    """A smaller last batch takes part of it, for whichever run."""
    array, half = torch.from_numpy(pictures.pictures), Normalisation((0.5,) * 3, (0.5,) * 3)
    batches = Batches(array, half, torch.float32)
    expected = half.apply(array).flatten(1)
    places = set()
    for rows in (torch.arange(64).view(2, 32), torch.tensor([[7, 3, 1]]), torch.arange(32)[None]):
        found = batches.gather(rows)
        assert torch.equal(found, expected[rows])
        places.add(found.data_ptr())
    assert len(places) == 1


@solvers
def test_keep_best_keeps_each_runs_best_epoch(tmp_path, solver):
    """The weights are those of a training that stopped after the epoch of lowest loss."""
    pictures = write_prepared(tmp_path / "noise", count=100, seed=0, brighter=0)
    options = {"solver": solver, "lr": 0.2, "batch_size": 4}
    best, epochs = trained(pictures, [4], [0, 1], keep="best", epochs=12, **options)
    losses = torch.stack([epoch.validation_loss for epoch in epochs])
    for run, number in enumerate(losses.argmin(0).tolist()):
        assert number < 11, "the test wants a run that gets worse"
        stopped, _ = trained(pictures, [4], [0, 1], keep="last", epochs=number + 1, **options)
        assert torch.equal(best[0].weight[run], stopped[0].weight[run])
        assert torch.equal(best[1].bias[run], stopped[1].bias[run])


@solvers
def test_the_history_is_what_the_weights_say(pictures, solver):
    """Validation loss and accuracy of the last epoch are those of the network, plain layers."""
    layers, epochs = trained(pictures, [5, 3], [0, 1], solver=solver)
    assert all(isinstance(layer, Layer) for layer in layers)
    shapes = [tuple(layer.weight.shape) for layer in layers]
    assert shapes == [(2, 5, 432), (2, 3, 5), (2, 1, 3)]  # [R, n, n_prev]
    images, labels = inputs(pictures, "validation", torch.float32)
    outputs = logits(layers, images.T)
    labels = labels.expand_as(outputs)
    loss = nn.functional.binary_cross_entropy_with_logits(outputs, labels, reduction="none")
    torch.testing.assert_close(epochs[-1].validation_loss, loss.mean(1), rtol=1e-4, atol=1e-5)
    accuracy = ((outputs > 0) == labels).float().mean(1)
    assert torch.equal(epochs[-1].validation_accuracy, accuracy)
