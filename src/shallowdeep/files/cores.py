"""How many cores this process may use, and independent work on them."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait


def available_cores() -> int:
    """Cores that the operating system lets this process run on; all of them where it cannot say.

    Only Linux can keep a process to some cores, with `taskset` or a container's cpuset.
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
    """Do independent work on several cores; with one thread, in the caller's.

    Args:
        work: called with each item; the first exception ends it all.
        items: what there is to do, the first ones first.
        threads: how many work at a time.
        begin: called in each thread that works, the caller's too if it does.
        stop: called as soon as there is an exception, or Ctrl-C; may end running work early.
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
