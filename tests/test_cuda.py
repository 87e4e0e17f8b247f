"""Training on CUDA: as far as it shows on a CPU and, where there is a device, on it."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from shallowdeep import normalisation
from shallowdeep.fitting import set_up
from shallowdeep.network import stacked
from shallowdeep.training import train

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SOLVERS = ("primal", "dual")


class Crossings(TorchDispatchMode):
    """Counts operations that read one device and write another."""

    def __init__(self):
        super().__init__()
        self.number = 0

    def __torch_dispatch__(self, operation, types, arguments=(), named=None):
        """Let it happen, and look at where its tensors are."""
        result = operation(*arguments, **(named or {}))
        tensors = [one for one in (*arguments, result) if isinstance(one, torch.Tensor)]
        places = {tensor.device.type for tensor in tensors if tensor.ndim}
        self.number += len(places) > 1
        return result


@pytest.fixture
def no_device():
    """Tensors that have a device, CUDA too, but no numbers: mixing devices is an error."""
    normalisation._on_device.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield
    normalisation._on_device.cache_clear()


@pytest.mark.usefixtures("no_device")
@pytest.mark.parametrize("solver", SOLVERS)
def test_all_of_an_epoch_is_on_the_device(pictures, solver):
    """The runs train as one group, and what comes out is on the device too."""
    (group,) = set_up(pictures, [5, 3], [0, 1], solver=solver, device=CUDA)
    epoch = group.epoch(batch_size=16, lr=0.1)
    assert {tensor.device.type for tensor in epoch} == {"cuda"}
    assert {tensor.device.type for layer in group.trained() for tensor in layer} == {"cuda"}


@pytest.mark.usefixtures("no_device")
@pytest.mark.parametrize("solver", SOLVERS)
def test_no_step_waits_for_the_device(pictures, solver):
    """What goes to the device in an epoch, the batch orders, goes once, however many steps."""
    (group,) = set_up(pictures, [5, 3], [0, 1], solver=solver, device=CUDA)
    group.epoch(batch_size=16, lr=0.1)
    counts = []
    for batch_size in (4, 40):
        with Crossings() as crossings:
            group.epoch(batch_size=batch_size, lr=0.1)
        counts.append(crossings.number)
    assert counts == [1, 1]


@pytest.mark.parametrize("solver", SOLVERS)
def test_torchs_arithmetic_and_numpys_agree(pictures, solver):
    """Elsewhere than on a CPU the upper layers are torch's."""
    trained = []
    for native in (True, False):
        groups = set_up(pictures, [5, 5, 3], [0, 1], solver=solver, device=CPU)
        if not native:
            for group in groups:
                group._native, group._native_upper = (lambda tensor: tensor), group._upper
        trained.append(_trained(groups))
    _assert_close(*trained)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("solver", SOLVERS)
def test_cuda_and_cpu_agree(pictures, solver):
    """Weights to rounding."""
    there, here = (
        _trained(set_up(pictures, [5, 5, 3], [0, 1], solver=solver, device=device))
        for device in (CUDA, CPU)
    )
    _assert_close(there, here)


def _trained(groups):
    train(groups, epochs=5, batch_size=16, lr=0.05, keep="best", report=lambda _: None)
    return stacked([group.trained() for group in groups])


def _assert_close(layers, others):
    for layer, other in zip(layers, others, strict=True):
        torch.testing.assert_close(layer.weight.cpu(), other.weight.cpu(), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(layer.bias.cpu(), other.bias.cpu(), rtol=1e-4, atol=1e-6)
