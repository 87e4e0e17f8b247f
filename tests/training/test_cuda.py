"""Training on CUDA: on a device that the CPU plays and, with `make test-cuda`, on a real one."""

import numpy as np
import pytest
import torch
from noise import CPU, StoppedError, fitting, interrupted, write_prepared
from played_device import CUDA, played_device
from torch.utils._python_dispatch import _disable_current_modes

from shallowdeep.training import checkpoint
from shallowdeep.training.checkpoint import Checkpoint, Checkpoints
from shallowdeep.training.sgd import Runs

solvers = pytest.mark.parametrize("solver", ["primal", "dual"])


@pytest.fixture
def played():
    """A CUDA device."""
    with played_device() as device:
        yield device


@pytest.mark.usefixtures("played")
def test_the_played_device_does_not_mix():
    """Without that, the tests below could not fail."""
    here, there = torch.ones(2), torch.ones(2, device=CUDA)
    assert (there + there).cpu().tolist() == [2, 2]
    for mixed in (lambda: here + there, lambda: there[torch.tensor([0])]):
        with pytest.raises(RuntimeError, match="tensors on different devices"):
            mixed()


@pytest.mark.parametrize("options", [{"keep": "last"}, {"keep": "best"}, {"lr": (0.02, 0.05)}])
@solvers
def test_the_numbers_are_the_cpus(pictures, solver, options, request):
    """All of a training happens on the device, and gives the same history and weights."""
    expected = _trained(pictures, solver, CPU, epochs=3, **options)
    request.getfixturevalue("played")
    _assert_close(_trained(pictures, solver, CUDA, epochs=3, **options), expected)


@solvers
def test_no_step_waits_for_the_device(pictures, solver, played):
    """An epoch sends its batch orders to the device once, however many steps it has."""
    runs = fitting(pictures, [5, 3], [0, 1], solver=solver, device=CUDA).ready()(0)
    runs.epoch(batch_size=16)
    before = [played.waits]
    for batch_size in (4, 40):
        runs.epoch(batch_size=batch_size)
        before.append(played.waits)
    assert np.diff(before).tolist() == [1, 1]


@pytest.mark.usefixtures("played")
@solvers
def test_a_training_goes_on_from_its_checkpoint(pictures, solver, tmp_path, monkeypatch):
    """To the same bits as without interruption."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "EVERY", 0)
    read = Checkpoint.read

    def without_the_device(*arguments):  # under it torch reads no file
        with _disable_current_modes():
            return read(*arguments)

    monkeypatch.setattr(Checkpoint, "read", without_the_device)
    whole = _trained(pictures, solver, CUDA, epochs=3)
    with interrupted("epoch", 2):
        _trained(pictures, solver, CUDA, epochs=3, place=Checkpoints("train-x", {}))
    assert Checkpoints("train-x", {}).exist()
    with interrupted("epoch", 1):  # the third is left
        resumed = _trained(pictures, solver, CUDA, epochs=3, place=Checkpoints("train-x", {}))
        raise StoppedError
    assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))


@pytest.mark.cuda
@pytest.mark.parametrize("keep", ["last", "best"])
@solvers
def test_a_real_device_agrees(tmp_path, solver, keep):
    """History and weights, to rounding; with pictures that no batch size divides."""
    pictures = write_prepared(tmp_path / "prepared", count=301, seed=1)
    there, here = (_trained(pictures, solver, device, keep=keep) for device in (CUDA, CPU))
    _assert_close(there, here)


@pytest.mark.cuda
@pytest.mark.parametrize("lr", [0.05, (0.02, 0.05)])
@solvers
def test_recorded_steps_give_the_bits_of_others(tmp_path, solver, lr, monkeypatch):
    """Steps that the device repeats by itself, the smaller last one of an epoch too."""
    pictures = write_prepared(tmp_path / "prepared", count=301, seed=1)
    recorded = _trained(pictures, solver, CUDA, lr=lr)
    monkeypatch.setattr(Runs, "_recorded_step", Runs._step)
    others = _trained(pictures, solver, CUDA, lr=lr)
    assert all(torch.equal(one, other) for one, other in zip(recorded, others, strict=True))


def _trained(pictures, solver, device, *, place=None, **options):
    """Train three runs: history, predictions, each layer's weights and biases, on the CPU."""
    settings = {"solver": solver, "device": device, "epochs": 5, "keep": "best"} | options
    fitted = fitting(pictures, [5, 5, 3], [0, 1, 2], **settings).fit(place)
    assert {tensor.device.type for layer in fitted.layers for tensor in layer} == {device.type}
    arrays = map(torch.from_numpy, (fitted.history, *fitted.predictions))
    return [*arrays, *(tensor.cpu() for layer in fitted.layers for tensor in layer)]


def _assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
