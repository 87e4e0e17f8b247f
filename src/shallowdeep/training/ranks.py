"""Many processes train one network: each some of its groups of runs, and rank 0 writes.

Which runs train in step changes no bit, and so neither does how many processes there are. What they
send each other, hashes before the first step and results after the last, lies in main memory
with a CUDA device too; so it goes by gloo, which needs nothing but a network.
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

from shallowdeep.files.errors import InputError
from shallowdeep.files.progress import be_silent

PATIENCE = timedelta(days=30)  # with the slowest rank
LEFT_ALONE = 75  # exit status of a rank whose connection to another has broken

_T = TypeVar("_T")


@dataclass(frozen=True)
class Ranks:
    """This process among those that train one network."""

    rank: int = 0
    count: int = 1
    here: int = 0  # its number among those of this machine
    count_here: int = 1

    def share(self, items: Sequence[_T]) -> Sequence[_T]:
        """What this rank does of all there is to do.

        Raises:
            InputError: there is nothing for some of them.
        """
        if self.count > len(items):
            raise InputError(
                f"{self.count} ranks for {len(items)} groups of runs: some would have nothing to"
                f" do; take at most {len(items)}"
            )
        return items[self.rank :: self.count]

    def collected(self, mine: _T) -> list[_T]:
        """What each rank has come to, on rank 0; every other one ends here, and well."""
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
        """Refuse to train where ranks read different things.

        Args:
            hashes: of what this one reads, by name.

        Raises:
            InputError: naming a rank, and what it has another of.
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

    def wait_for_others(self) -> None:
        """Go on when all have come here."""
        if self.count > 1:
            import torch.distributed as dist

            with _connected():
                dist.barrier()


ALONE = Ranks()


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the processes that torchrun has started; where it has not, this one is all there are.

    What is wrong with a rank is told by who has started it.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield ALONE
        return
    import torch.distributed as dist

    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    ranks = Ranks(*(int(os.environ[name]) for name in names))
    if ranks.rank:
        be_silent()
    try:
        with _connected():
            dist.init_process_group("gloo", timeout=PATIENCE)
        yield ranks
    except InputError as error:
        Path(os.environ["TORCHELASTIC_ERROR_FILE"]).write_text(json.dumps({"message": str(error)}))
        _end(1)
    except KeyboardInterrupt:
        _end(130)  # whoever has started it says so
    _end(0)


@contextmanager
def _connected() -> Iterator[None]:
    """End where another rank is gone: it, or who has started it, has said why."""
    try:
        yield
    except RuntimeError:
        _end(LEFT_ALONE)


def _end(status: int) -> NoReturn:
    """End at once: one of gloo's threads can abort a process that ends as usual."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
