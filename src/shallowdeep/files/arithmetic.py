"""Pinned processor instructions: others would change the last bit of sums."""

import os
from pathlib import Path

NAMES = ("MKL_CBWR", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE")


def pin_arithmetic() -> None:
    """Give sums the same bits on every x86-64 processor with AVX2, at no measurable cost.

    Call it before NumPy and torch are imported: they read these variables then.
    """
    os.environ["MKL_CBWR"] = "COMPATIBLE"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and "avx2" in cpuinfo.read_text():
        os.environ |= {"ATEN_CPU_CAPABILITY": "avx2", "OPENBLAS_CORETYPE": "Haswell"}


def pinned() -> dict[str, str | None]:
    """Values of the variables; None if not pinned."""
    return {name: os.environ.get(name) for name in NAMES}
