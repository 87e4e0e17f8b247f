"""A CUDA device that the CPU plays, for tests on machines that have none."""

from contextlib import contextmanager

import torch
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from shallowdeep.prepared import normalisation

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
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


@contextmanager
def played_device():
    """Such a device; FakeTensorMode keeps torch from looking for a driver."""
    normalisation._on_device.cache_clear()
    with FakeTensorMode(allow_non_fake_inputs=True), PlayedDevice() as device:
        yield device
    normalisation._on_device.cache_clear()
