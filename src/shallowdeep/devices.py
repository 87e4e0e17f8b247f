"""Where the arithmetic happens."""

from typing import Literal

import torch
from threadpoolctl import threadpool_limits

from shallowdeep.errors import InputError


def pick(device: Literal["auto", "cpu", "cuda"], *, threads: int) -> torch.device:
    """Settle on a device, and on the number of CPU threads that torch and NumPy may take.

    Raises:
        InputError: `cuda` is asked for and torch sees none.
    """
    torch.set_num_threads(threads)
    threadpool_limits(threads)
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise InputError(
            "params.yaml: device: cuda, but torch sees no CUDA device; take auto or cpu"
        )
    return torch.device("cuda" if available and device != "cpu" else "cpu")
