"""A Dask cluster whose workers decode pictures, where the environment names its scheduler.

Workers read the pictures from a disk that they share with this machine, under the same path, and
have the same packages and code: `dask worker ADDRESS` in a checkout's .venv is one.
"""

import functools
import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

from shallowdeep.files.errors import InputError, one_line
from shallowdeep.pictures.many import Pool, threads
from shallowdeep.provenance.dvc_hash import md5

_T = TypeVar("_T")
_U = TypeVar("_U")

ADDRESS = "DASK_SCHEDULER_ADDRESS"  # Dask's own name for it
PATIENCE = 10  # seconds for the scheduler to answer, and for a first worker to come
RETURN = 30  # seconds for a worker to come after the last one has gone
BATCH = 64  # pictures handed to a worker at a time: 3 MB come back, in some 60 ms
DECIDE = ("numpy", "pillow", "simplejpeg", "torch")  # packages that pixels depend on


def cluster_or_threads() -> Callable[[], AbstractContextManager[Pool]]:
    """The cluster that the environment names; this machine's cores where it names none."""
    if address := os.environ.get(ADDRESS):
        return functools.partial(cluster, address)
    return threads


@contextmanager
def cluster(address: str) -> Iterator[Pool]:
    """The workers of a Dask scheduler. What one has not ended when it goes, others do again.

    Raises:
        InputError: nobody answers there, there is no worker or none any more, one has other
            packages or code, or work on a worker has failed.
    """
    from distributed import Client
    from distributed.comm.addressing import parse_address, parse_host_port

    try:
        parse_host_port(parse_address(address)[1])  # a client of no address is never closed
        connected = Client(address, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
        with connected as client:
            client.wait_for_workers(1, timeout=PATIENCE)
            each = functools.partial(work_there, versions())
            executor = client.get_executor(pure=False)
            gone: float | None = None  # since when nobody has been there

            def cores() -> int:
                nonlocal gone
                there: int = sum(client.nthreads().values())
                if there:
                    gone = None
                return there

            def check() -> None:
                nonlocal gone
                if cores():
                    return
                gone = gone or time.monotonic()
                if time.monotonic() - gone > RETURN:
                    raise InputError(
                        f"{ADDRESS}: {address}: all workers have gone; `dvc repro` goes on from"
                        " here when there is one again"
                    )

            yield Pool(executor, each, cores, BATCH, check)
    except InputError:
        raise
    except Exception as error:  # of a network, of Dask, or of what a worker cannot import
        said = one_line(str(error).strip().partition("\n")[0]) or "the scheduler has gone"
        raise InputError(f"{ADDRESS}: {address}: {type(error).__name__}: {said}") from None


def work_there(
    needed: Mapping[str, str], work: Callable[[_T], _U], items: Sequence[_T]
) -> list[_U]:
    """Work on a worker, if it is one whose pixels would be the same.

    Raises:
        InputError: names what is another version there.
    """
    import torch

    here = versions()
    apart = [name for name in needed if here[name] != needed[name]]
    if said := ", ".join(f"{name} {here[name]} instead of {needed[name]}" for name in apart):
        raise InputError(f"{ADDRESS}: a worker on {platform.node()} has {said}")
    torch.set_num_threads(1)
    return [work(item) for item in items]


@functools.cache
def versions() -> Mapping[str, str]:
    """What pixels depend on: packages, and the code of this folder by its hash."""
    found = {name: importlib.metadata.version(name) for name in DECIDE}
    return found | {"code": str(md5(Path(__file__).parent))[:8]}
