"""How much memory this process may have."""

import os
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
FITS = 0.5  # of memory: the rest is for what else this process, and others, keep there
NAMES = ("memory.max", "memory.limit_in_bytes")  # of cgroups' version 2, and of version 1


def fits(size: int) -> bool:
    """Whether a file of so many bytes can stay in memory while a network trains on it."""
    return size <= FITS * memory_limit()


def memory_limit() -> int:
    """Bytes of the machine, or what a container or a cluster's scheduler leaves of them."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for folder in _cgroups():
        for name in NAMES:
            with suppress(OSError, ValueError):  # no such limit, or `max`
                limits.append(int((folder / name).read_text()))
    return min(limits)


def _cgroups() -> list[Path]:
    """The folders of this process's memory cgroup and of those above it.

    In a container the path is often that of the host, and what is left of it the top.
    """
    found = [CGROUPS, CGROUPS / "memory"]
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds in ("", "memory"):
                below = CGROUPS / kinds / path.lstrip("/")
                found += [below, *(one for one in below.parents if CGROUPS in one.parents)]
    return found
