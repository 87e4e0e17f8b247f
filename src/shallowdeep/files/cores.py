"""Available cores, and independent work in threads on them."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait


def available_cores() -> int:
    """Number of cores that this process may use.

    Linux can restrict a process to some cores, by `taskset` or a container's cpuset.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def side_by_side(
    work: Callable[[int], None],
    items: Sequence[int],
    *,
    threads: int,
    begin: Callable[[], None] = lambda: None,
    stop: Callable[[], None] = lambda: None,
) -> None:
    """Do independent work in several threads; one thread is the caller's own.

    Args:
        work: called with each item, in order; the first exception ends all.
        items: of the work.
        threads: their number.
        begin: called once in each thread that works.
        stop: called at the first exception or Ctrl-C; may end running work early.
    """
    if threads == 1:
        begin()
        for item in items:
            work(item)
        return
    with ThreadPoolExecutor(threads, initializer=begin) as pool:
        try:
            running = [pool.submit(work, item) for item in items]
            for one in wait(running, return_when=FIRST_EXCEPTION).done:
                one.result()
        except BaseException:
            stop()
            pool.shutdown(cancel_futures=True)
            raise
