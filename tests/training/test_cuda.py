"""Training on CUDA: on a device that the CPU plays and, with `make test-cuda`, on a real one."""

import pytest
import torch
from noise import fitting, trained, write_prepared
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_map

from shallowdeep.prepared import normalisation
from shallowdeep.training import checkpoint
from shallowdeep.training.checkpoint import Checkpoint, Checkpoints
from shallowdeep.training.sgd import Runs

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SOLVERS = ("primal", "dual")
COPY_TO, COPY_INTO = torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default
WAITS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)


class OnDevice(torch.Tensor):
    """A tensor that says it is on CUDA; its numbers are in `held`, on the CPU."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held):
        """Of the same shape, strides and type."""
        layout = {"strides": held.stride(), "storage_offset": held.storage_offset()}
        self = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, dtype=held.dtype, device=CUDA, **layout
        )
        self.held = held
        return self

    @classmethod
    def __torch_dispatch__(cls, operation, types, arguments=(), named=None):
        """Only a PlayedDevice computes with it."""
        raise RuntimeError(f"{operation}: the device is not there any more")


class PlayedDevice(TorchDispatchMode):
    """Computes on the CPU what is asked of CUDA.

    As with CUDA, a copy is the only way from one device to the other: an operation on tensors of
    both is an error. `waits` counts copies and what else makes the CPU wait for a device.
    """

    def __init__(self):
        super().__init__()
        self.waits = 0

    def __torch_dispatch__(self, operation, types, arguments=(), named=None):
        """Take the tensors out, compute, and put the result where it belongs."""
        handles, places = {}, set()

        def take_out(value):
            if isinstance(value, OnDevice):
                handles[id(value.held)] = value
                places.add("cuda")
                return value.held
            if isinstance(value, torch.Tensor) and value.ndim:  # a single number goes anywhere
                places.add("cpu")
            return value

        arguments, named = tree_map(take_out, (arguments, named or {}))
        target = "cuda" if "cuda" in places else "cpu"
        if named.get("device") is not None:
            target = named["device"].type
            named = named | {"device": CPU}
        mixed = len(places | {target}) > 1
        if mixed and operation not in (COPY_TO, COPY_INTO):
            raise RuntimeError(f"{operation}: tensors on different devices")
        self.waits += mixed or (target == "cuda" and operation in WAITS)
        if operation == COPY_INTO:
            target = "cuda" if id(arguments[0]) in handles else "cpu"
        with unset_fake_temporarily():
            result = operation(*arguments, **named)

        def put_back(value):
            if target == "cpu" or not isinstance(value, torch.Tensor):
                return value
            return handles[id(value)] if id(value) in handles else OnDevice(value)

        return tree_map(put_back, result)


@pytest.fixture
def played():
    """A CUDA device; FakeTensorMode keeps torch from looking for a driver."""
    normalisation._on_device.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True), PlayedDevice() as device:
        yield device
    normalisation._on_device.cache_clear()


@pytest.mark.usefixtures("played")
def test_the_played_device_does_not_mix():
    """Without that, the tests below could not fail."""
    here, there = torch.ones(2), torch.ones(2, device=CUDA)
    assert (there + there).cpu().tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="tensors on different devices"):
        here + there
    with pytest.raises(RuntimeError, match="tensors on different devices"):
        there[torch.tensor([0])]


@pytest.mark.parametrize("keep", ["last", "best"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_numbers_are_the_cpus(pictures, solver, keep, request):
    """All of a training happens on the device, and gives the same history and weights."""
    expected = _trained(pictures, solver, CPU, keep=keep)
    request.getfixturevalue("played")
    _assert_close(_trained(pictures, solver, CUDA, keep=keep), expected)


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_step_waits_for_the_device(pictures, solver, played):
    """What goes to the device in an epoch, the batch orders, goes once, however many steps."""
    runs = fitting(pictures, [5, 3], [0, 1], solver=solver, device=CUDA).ready()(0)
    runs.epoch(batch_size=16, lr=0.1)
    counts = []
    for batch_size in (4, 40):
        before = played.waits
        runs.epoch(batch_size=batch_size, lr=0.1)
        counts.append(played.waits - before)
    assert counts == [1, 1]


@pytest.mark.usefixtures("played")
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_training_goes_on_from_its_checkpoint(pictures, solver, tmp_path, monkeypatch):
    """To the same bits as without interruption."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "EVERY", 0)
    read = Checkpoint.read

    def without_the_device(*arguments):  # under it torch reads no file
        with _disable_current_modes():
            return read(*arguments)

    monkeypatch.setattr(Checkpoint, "read", without_the_device)
    whole = _trained(pictures, solver, CUDA)
    with pytest.raises(KeyboardInterrupt):
        _trained(pictures, solver, CUDA, place=Checkpoints("train-x", {}), stop_after=3)
    assert Checkpoints("train-x", {}).of(0).read() is not None
    resumed = _trained(pictures, solver, CUDA, place=Checkpoints("train-x", {}))
    assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))


@pytest.mark.cuda
@pytest.mark.parametrize("keep", ["last", "best"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_real_device_agrees(tmp_path, solver, keep):
    """History and weights, to rounding; with pictures that no batch size divides."""
    pictures = write_prepared(tmp_path / "prepared", count=301, seed=1)
    there, here = (_trained(pictures, solver, device, keep=keep) for device in (CUDA, CPU))
    _assert_close(there, here)


@pytest.mark.cuda
@pytest.mark.parametrize("solver", SOLVERS)
def test_recorded_steps_give_the_bits_of_others(tmp_path, solver, monkeypatch):
    """Steps that the device repeats by itself, the smaller last one of an epoch too."""
    pictures = write_prepared(tmp_path / "prepared", count=301, seed=1)
    recorded = _trained(pictures, solver, CUDA)
    monkeypatch.setattr(Runs, "_recorded_step", Runs._step)
    for one, other in zip(recorded, _trained(pictures, solver, CUDA), strict=True):
        assert torch.equal(one, other)


def _trained(pictures, solver, device, *, keep="best", place=None, stop_after=None):
    """What three runs come to: history, and each layer's weights and biases, on the CPU."""
    reported = []

    def report(epoch):
        reported.append(epoch)
        if len(reported) == stop_after:
            raise KeyboardInterrupt

    settings = {"solver": solver, "device": device, "epochs": 5, "keep": keep}
    layers, history = trained(
        pictures, [5, 5, 3], [0, 1, 2], report=report, place=place, **settings
    )
    assert {tensor.device.type for layer in layers for tensor in layer} == {device.type}
    past = torch.stack([torch.stack(epoch) for epoch in history])
    return [past, *(tensor.cpu() for layer in layers for tensor in layer)]


def _assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
