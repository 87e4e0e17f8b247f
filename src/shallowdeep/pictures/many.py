"""The same work on many pictures, on all cores, with the results in order."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from shallowdeep.files.cores import available_cores

_T = TypeVar("_T")
_U = TypeVar("_U")

BATCH = 8  # pictures handed to a thread at a time


def in_order(work: Callable[[_T], _U], items: Sequence[_T]) -> Generator[_U, None, None]:
    """Map on all cores, results in order, a bounded number of them waiting."""
    import torch

    torch.set_num_threads(1)  # each of our threads is one core's; torch would start more in each
    cores = available_cores()
    stopped = Event()

    def work_batch(start: int) -> list[_U]:
        return [work(item) for item in items[start : start + BATCH] if not stopped.is_set()]

    waiting: deque[Future[list[_U]]] = deque()
    with ThreadPoolExecutor(cores) as pool:
        try:
            for start in range(0, len(items), BATCH):
                waiting.append(pool.submit(work_batch, start))
                if len(waiting) > 3 * cores:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)
