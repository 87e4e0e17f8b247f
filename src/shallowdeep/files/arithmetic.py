"""Which instructions sums are made with: that changes their last bit."""

import os
from pathlib import Path

NAMES = ("MKL_CBWR", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE")


def pin_arithmetic() -> None:
    """Let sums have the same bits on every x86-64 processor with AVX2.

    What that costs could not be told from nothing. NumPy and torch read these variables when they
    are imported, so this comes before.
    """
    os.environ["MKL_CBWR"] = "COMPATIBLE"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and "avx2" in cpuinfo.read_text():
        os.environ |= {"ATEN_CPU_CAPABILITY": "avx2", "OPENBLAS_CORETYPE": "Haswell"}


def pinned() -> dict[str, str | None]:
    """By variable, what it is pinned to; None where it is not."""
    return {name: os.environ.get(name) for name in NAMES}
