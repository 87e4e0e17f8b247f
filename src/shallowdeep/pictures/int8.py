"""Products of bytes by the processor's instructions for them (VNNI), as exact and 7 times as fast.

torch has them under a name that is not public. So its products are checked before they are used;
if anything is not as expected, the Gram matrix is computed in floats.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Product = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float64]]
PIXELS = 2**16  # 128 * 128 * 2**16 = 2**30: int32 holds every partial sum


def quick_product() -> Product | None:
    """Return `byte_product` if the processor has the instructions and its products are exact."""
    return byte_product if _has_instructions() and is_exact() else None


def byte_product(u: NDArray[np.uint8], v: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Multiply the rows of `u` [n, P] and of `v` [m, P] exactly, each byte less 128.

    Computes in the thread that calls it.
    """
    import torch

    torch.set_num_threads(1)  # of this thread
    left, right = _signed(u), _signed(v)
    found = np.zeros((len(u), len(v)))
    for start in range(0, u.shape[1], PIXELS):
        block = slice(start, start + PIXELS)
        found += torch._int_mm(left[:, block], right[:, block].T).numpy()
    return found


def is_exact() -> bool:
    """True if `byte_product` is exact here for the most extreme bytes, alike or mixed."""
    random = np.random.default_rng(0).integers(0, 2, (3, PIXELS + 3), dtype=np.uint8)
    extremes = np.concatenate([random * 255, random, 255 - random, np.zeros_like(random[:1])])
    centred = extremes.astype(np.int64) - 128
    try:
        found = byte_product(extremes, extremes[:7])
    except Exception:  # it is gone, or takes other arguments
        return False
    return np.array_equal(found, centred @ centred[:7].T)


def _signed(pictures: NDArray[np.uint8]) -> "torch.Tensor":
    """Bytes less 128."""
    import torch

    return torch.from_numpy((pictures ^ np.uint8(128)).view(np.int8))


def _has_instructions() -> bool:
    """True if the processor has VNNI: without, `byte_product` takes 20 times as long as floats."""
    cpuinfo = Path("/proc/cpuinfo")
    return cpuinfo.exists() and "vnni" in cpuinfo.read_text()
