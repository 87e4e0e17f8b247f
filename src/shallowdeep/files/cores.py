"""How many cores this process may use."""

import os


def available_cores() -> int:
    """Cores that the operating system lets this process run on; all of them where it cannot say.

    Only Linux can keep a process to some cores, with `taskset` or a container's cpuset.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
