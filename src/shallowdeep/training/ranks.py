"""Several processes train one network: each trains some groups of runs, and rank 0 writes.

Grouping changes no bit, and so the number of processes does not. They exchange little, and from
main memory, with a CUDA device too: hashes before the first step, results after the last. gloo does
that, and needs nothing but a network.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from shallowdeep.files.errors import InputError, user_message
from shallowdeep.files.progress import be_silent

PATIENCE = timedelta(days=30)  # with the slowest rank
LOST_CONNECTION = 75  # exit status of a rank whose connection to another has broken
STORE = "SHALLOWDEEP_STORE"  # the file in which the ranks of a single machine meet

_T = TypeVar("_T")


@dataclass(frozen=True)
class Ranks:
    """This process among all that train one network."""

    rank: int = 0
    count: int = 1
    here: int = 0  # its number among those of this machine
    count_here: int = 1

    def share(self, groups: int) -> Sequence[int]:
        """Numbers of the groups that this rank trains.

        Raises:
            InputError: some ranks have none.
        """
        if self.count > groups:
            raise InputError(
                f"{self.count} ranks for {groups} group{'s' * (groups > 1)} of runs: some would"
                f" have nothing to do; take at most {groups}"
            )
        return range(self.rank, groups, self.count)

    def collected(self, mine: _T) -> list[_T]:
        """Gather every rank's result on rank 0; the other processes end here, with status 0."""
        if self.count == 1:
            return [mine]
        import torch.distributed as dist

        found: list[Any] | None = None if self.rank else [None] * self.count
        with _connected():
            dist.gather_object(mine, found)
            dist.barrier()  # none leaves before all has arrived
        if found is None:
            _end(0)
        return found

    def check_alike(self, hashes: Mapping[str, str | None]) -> None:
        """Refuse to train if ranks read different inputs.

        Args:
            hashes: of the inputs of this one, by name.

        Raises:
            InputError: naming a rank, and the input that differs.
        """
        if self.count == 1:
            return
        import torch.distributed as dist

        every: list[Any] = [None] * self.count
        with _connected():
            dist.all_gather_object(every, dict(hashes))
        for rank, theirs in enumerate(every):
            for name in sorted({*theirs, *every[0]}):
                if theirs.get(name) != every[0].get(name):
                    raise InputError(
                        f"rank {rank} reads another {name} than rank 0; give all of them the same"
                    )


ALONE = Ranks()


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the processes that torchrun has started; without torchrun, this one is alone.

    The process that has started a rank reports its errors.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield ALONE
        return
    import torch.distributed as dist

    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    ranks = Ranks(*(int(os.environ[name]) for name in names))
    if ranks.rank:
        be_silent()
    store = None  # torchrun's server, which listens on all addresses of the first machine
    if STORE in os.environ:
        store = dist.FileStore(os.environ[STORE], ranks.count)  # type: ignore[attr-defined]
    try:
        with _connected():
            dist.init_process_group(
                "gloo", timeout=PATIENCE, store=store, rank=ranks.rank, world_size=ranks.count
            )
        yield ranks
    except Exception as error:
        if (line := user_message(error)) is None:
            raise
        Path(os.environ["TORCHELASTIC_ERROR_FILE"]).write_text(json.dumps({"message": line}))
        _end(1)
    except KeyboardInterrupt:
        _end(130)  # whoever has started it says so
    _end(0)


@contextmanager
def _connected() -> Iterator[None]:
    """End if another rank is gone: it, or the process that has started it, has said why."""
    try:
        yield
    except RuntimeError:
        _end(LOST_CONNECTION)


def _end(status: int) -> NoReturn:
    """End at once: one of gloo's threads can abort a process that ends as usual."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
