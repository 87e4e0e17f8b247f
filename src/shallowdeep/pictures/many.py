"""The same work on many pictures, by all who can do it, with the results in order."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from threading import Event
from typing import Any, NamedTuple, TypeVar

from shallowdeep.files.cores import available_cores
from shallowdeep.files.imports import imported, importing

_T = TypeVar("_T")
_U = TypeVar("_U")

BATCH = 8  # pictures handed to a thread at a time
BEAT = 1.0  # seconds of waiting for a result after which one looks whether anybody is at work


class Pool(NamedTuple):
    """Who does the work."""

    executor: Executor
    each: Callable[..., list[Any]]  # called there, with the work and some items
    cores: Callable[[], int]  # that there are at the moment
    batch: int  # items that one core is handed at a time
    check: Callable[[], None] = lambda: None  # ends all where nobody is at work any more


@contextmanager
def threads() -> Iterator[Pool]:
    """This machine's cores."""
    importing()
    import torch

    imported()
    torch.set_num_threads(1)  # each of our threads is one core's; torch would start more in each
    cores, stopped = available_cores(), Event()

    def each(work: Callable[[_T], _U], items: Sequence[_T]) -> list[_U]:
        return [work(item) for item in items if not stopped.is_set()]

    with ThreadPoolExecutor(cores) as executor:
        try:
            yield Pool(executor, each, lambda: cores, BATCH)
        finally:
            stopped.set()
            executor.shutdown(cancel_futures=True)


def in_order(
    work: Callable[[_T], _U],
    items: Sequence[_T],
    *,
    by: Callable[[], AbstractContextManager[Pool]] = threads,
) -> Generator[_U, None, None]:
    """Map, results in order, a bounded number of them waiting, however slowly they are taken.

    Args:
        work: what to do with each item.
        items: what there is to do it with.
        by: who does it.
    """
    waiting: deque[Future[list[_U]]] = deque()

    def next_result(pool: Pool) -> list[_U]:
        future = waiting.popleft()
        while not wait([future], timeout=BEAT).done:
            pool.check()
        return future.result()

    with by() as pool:
        for start in range(0, len(items), pool.batch):
            some = items[start : start + pool.batch]
            waiting.append(pool.executor.submit(pool.each, work, some))
            if len(waiting) > 3 * pool.cores():
                yield from next_result(pool)
        while waiting:
            yield from next_result(pool)
