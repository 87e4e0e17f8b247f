"""The choice of a device for the arithmetic."""

import sys
from typing import Literal

import torch
from threadpoolctl import threadpool_limits

from shallowdeep.files.errors import InputError


def pick(device: Literal["auto", "cpu", "cuda"], *, number: int = 0) -> torch.device:
    """Pick a device, and let torch and NumPy take one thread for a step.

    Two threads in a step were 2 to 30 times slower on a busy machine, and change bits. Where there
    is a CUDA device that cannot be used, `auto` says why and takes the CPU.

    Args:
        device: what params.yaml asks for.
        number: of this process on this machine; each takes the next device.

    Raises:
        InputError: `cuda` is asked for and cannot be had.
    """
    torch.set_num_threads(1)
    threadpool_limits(1)
    if device == "cpu":
        return torch.device("cpu")
    present = torch.cuda.is_available()
    trouble = _trouble(number) if present else "torch sees no CUDA device"
    if trouble is None:
        return torch.device("cuda")
    if device == "cuda":
        raise InputError(f"params.yaml: device: cuda, but {trouble}; take auto or cpu")
    if present:
        print(f"params.yaml: device: auto uses the CPU because {trouble}", file=sys.stderr)
    return torch.device("cpu")


def _trouble(number: int) -> str | None:
    """Reason why torch cannot compute on a CUDA device that it sees; None if it can.

    For example that it is older than all that torch has kernels for, or is in another's hands.
    """
    try:
        torch.cuda.set_device(number % max(1, torch.cuda.device_count()))
        torch.ones(1, device="cuda").sum().item()
    except RuntimeError as error:
        return f"the CUDA device cannot be used ({str(error).splitlines()[0]})"
    return None
