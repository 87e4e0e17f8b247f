"""A Dask cluster that decodes pictures, if the environment names its scheduler.

Workers read the pictures from a shared disk, under the same path as this machine, and have the same
packages and code: `dask worker ADDRESS` in a checkout's .venv starts one.
"""

import asyncio
import functools
import hashlib
import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from shallowdeep.files.errors import InputError, one_line
from shallowdeep.pictures.worker_pool import Pool, threads

_T = TypeVar("_T")
_U = TypeVar("_U")

ADDRESS = "DASK_SCHEDULER_ADDRESS"  # Dask's own name for it
CONNECT_TIMEOUT = 10  # seconds for the scheduler to answer, and for a first worker to come
RETURN_TIMEOUT = 30  # seconds for a worker to come after the last one has gone
BATCH = 64  # pictures handed to a worker at a time: 3 MB come back, in some 60 ms
PACKAGES = ("numpy", "pillow", "simplejpeg", "torch")  # pixels depend on them


def cluster_or_threads() -> Callable[[], AbstractContextManager[Pool]]:
    """Pool of the cluster that the environment names, or else of this machine's cores."""
    if address := os.environ.get(ADDRESS):
        return functools.partial(cluster, address)
    return threads


@contextmanager
def cluster(address: str) -> Iterator[Pool]:
    """Pool of a Dask scheduler's workers. If one goes, others repeat its unfinished batches.

    Raises:
        InputError: the scheduler does not answer, no worker comes or all have gone, one has other
            packages or code, or work on a worker has failed.
    """
    from distributed import Client

    try:
        asyncio.run(check_answer(address))
        connected = Client(address, timeout=CONNECT_TIMEOUT, set_as_default=False)  # type: ignore[no-untyped-call]
        with connected as client:
            client.wait_for_workers(1, timeout=CONNECT_TIMEOUT)
            run_batch = functools.partial(run_on_worker, versions())
            executor = client.get_executor(pure=False)
            gone: float | None = None  # time at which no worker was left

            def cores() -> int:
                nonlocal gone
                count: int = sum(client.nthreads().values())
                if count:
                    gone = None
                return count

            def check() -> None:
                nonlocal gone
                if cores():
                    return
                gone = gone or time.monotonic()
                if time.monotonic() - gone > RETURN_TIMEOUT:
                    raise InputError(
                        f"{ADDRESS}: {address}: all workers have gone; start one, then `dvc repro`"
                        " decodes anew"
                    )

            yield Pool(executor, run_batch, cores, BATCH, check)
    except InputError:
        raise
    except Exception as error:  # of a network, of Dask, or of what a worker cannot import
        message = one_line(str(error).strip().partition("\n")[0]) or "the scheduler has gone"
        raise InputError(f"{ADDRESS}: {address}: {type(error).__name__}: {message}") from None


async def check_answer(address: str) -> None:
    """Connect once: a client that cannot is never closed, and one that gets no answer waits.

    Raises:
        Exception: Dask's own, for an address that it cannot use.
        TimeoutError: nothing answers as a scheduler does.
    """
    from distributed.comm.core import connect
    from distributed.security import Security

    arguments = Security().get_connection_args("client")  # type: ignore[no-untyped-call]
    attempt = connect(address, CONNECT_TIMEOUT, **arguments)  # type: ignore[no-untyped-call]
    try:
        (await asyncio.wait_for(attempt, 2 * CONNECT_TIMEOUT)).abort()
    except TimeoutError:
        raise TimeoutError("no scheduler answers") from None


def run_on_worker(
    needed: Mapping[str, str], work: Callable[[_T], _U], items: Sequence[_T]
) -> list[_U]:
    """Run a batch on a worker whose pixels are the same bits.

    Raises:
        InputError: the worker has other versions; the message names them.
    """
    import torch

    here = versions()
    others = [name for name in needed if here[name] != needed[name]]
    if listed := ", ".join(f"{name} {here[name]} instead of {needed[name]}" for name in others):
        raise InputError(f"{ADDRESS}: a worker on {platform.node()} has {listed}")
    torch.set_num_threads(1)
    return [work(item) for item in items]


@functools.cache
def versions() -> Mapping[str, str]:
    """Versions that pixels depend on: of packages, and of this folder's code by its hash."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    code = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        code.update(path.name.encode() + path.read_bytes())
    return packages | {"code": code.hexdigest()[:8]}
