"""A map over all cores or workers, with results in order and a bounded number in memory."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from threading import Event
from typing import Any, NamedTuple, TypeVar

from shallowdeep.files.cores import available_cores
from shallowdeep.files.imports import importing

_T = TypeVar("_T")
_U = TypeVar("_U")

BATCH = 8  # pictures handed to a thread at a time
BEAT = 1.0  # seconds between checks that a worker is left


class Pool(NamedTuple):
    """An executor and the size of its batches."""

    executor: Executor
    run_batch: Callable[..., list[Any]]  # runs in the executor, with the work and some items
    cores: Callable[[], int]  # number of them at the moment
    batch: int  # items that one core gets at a time
    check: Callable[[], None] = lambda: None  # raises if no worker is left


@contextmanager
def threads() -> Iterator[Pool]:
    """Pool of this machine's cores."""
    with importing():
        import torch

    torch.set_num_threads(1)  # each of our threads has one core; torch would start more in each
    cores, stopped = available_cores(), Event()

    def run_batch(work: Callable[[_T], _U], items: Sequence[_T]) -> list[_U]:
        return [work(item) for item in items if not stopped.is_set()]

    with ThreadPoolExecutor(cores) as executor:
        try:
            yield Pool(executor, run_batch, lambda: cores, BATCH)
        finally:
            stopped.set()
            executor.shutdown(cancel_futures=True)


def ordered_map(
    work: Callable[[_T], _U],
    items: Sequence[_T],
    *,
    pool: Callable[[], AbstractContextManager[Pool]] = threads,
) -> Generator[_U, None, None]:
    """Map `work` over items; yield results in order, few of them waiting however slow the reader.

    Args:
        work: function of one item.
        items: its arguments.
        pool: opens the workers.
    """
    waiting: deque[Future[list[_U]]] = deque()

    def next_results() -> list[_U]:
        future = waiting.popleft()
        while not wait([future], timeout=BEAT).done:
            workers.check()
        return future.result()

    with pool() as workers:
        for start in range(0, len(items), workers.batch):
            batch = items[start : start + workers.batch]
            waiting.append(workers.executor.submit(workers.run_batch, work, batch))
            if len(waiting) > 3 * workers.cores():
                yield from next_results()
        while waiting:
            yield from next_results()
