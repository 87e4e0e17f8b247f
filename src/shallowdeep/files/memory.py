"""Memory limit of this process."""

import os
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
FITS = 0.5  # of memory; the rest is for this process, and for others
NAMES = ("memory.max", "memory.limit_in_bytes")  # cgroups v2, cgroups v1


def fits(size: int) -> bool:
    """True if a file of so many bytes can stay in memory while a network trains on it."""
    return size <= FITS * memory_limit()


def memory_limit() -> int:
    """Bytes that the machine, a container or a cluster's scheduler allows."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for folder in _cgroups():
        for name in NAMES:
            with suppress(OSError, ValueError):  # no such limit, or `max`
                limits.append(int((folder / name).read_text()))
    return min(limits)


def _cgroups() -> list[Path]:
    """Folders of this process's memory cgroup and its parents, where they are visible."""
    found = [CGROUPS, CGROUPS / "memory"]
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            if kinds in ("", "memory"):
                below = CGROUPS / kinds / path.lstrip("/")
                found += [below, *(one for one in below.parents if CGROUPS in one.parents)]
    return found
