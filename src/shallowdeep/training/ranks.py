"""Many processes train one network: each some of its groups of runs, and rank 0 writes.

Which runs train in step changes no bit, and so neither does how many processes there are. Where
there are more of them than groups, several train a group together, each on a band of every picture.
What they send each other is little and lies in main memory, with a CUDA device too: hashes before
the first step, results after the last, and in a step of a team what comes out of its bands. So it
goes by gloo, which needs nothing but a network.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

from shallowdeep.files.errors import InputError, line_of
from shallowdeep.files.progress import be_silent

PATIENCE = timedelta(days=30)  # with the slowest rank
LEFT_ALONE = 75  # exit status of a rank whose connection to another has broken

_T = TypeVar("_T")

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Team:
    """The ranks that train a group of runs together; most are one.

    A network's first layer adds up what its weights say about each pixel. So every member has the
    weights of a band of pixels, adds these up, and all members add up their sums: R h m numbers a
    step. Members that each took some of the batch's pictures would send each other the gradients
    of all weights, which are R h D: at 128 x 128 pixels and 32 pictures 1,500 times as many. The
    other layers, all of them small, every member computes by itself, from the same bits.
    """

    member: int = 0
    size: int = 1
    group: Any = None  # torch's

    def band(self, size: int) -> slice:
        """This member's rows of a picture that has `size` of them."""
        first, end = (size * number // self.size for number in (self.member, self.member + 1))
        return slice(first, end)

    def summed(self, part: "Tensor") -> "Tensor":
        """The sum of all members' parts, to the same bits on each.

        By way of the first, in the members' order: gloo's own `all_reduce` took 1.1 ms for two
        processes of one machine, this 0.1.
        """
        if self.size == 1:
            return part
        import torch
        import torch.distributed as dist

        total = part.cpu().contiguous()
        others = range(1, self.size)
        with _connected():
            if self.member:
                dist.send(total, group=self.group, group_dst=0)
                dist.recv(total, group=self.group, group_src=0)
            else:
                theirs = torch.empty_like(total)
                for member in others:
                    dist.recv(theirs, group=self.group, group_src=member)
                    total = total + theirs
                for member in others:
                    dist.send(total, group=self.group, group_dst=member)
        return total.to(part.device)

    def told_by_the_first(self, number: int) -> int:
        """What the first member says, whatever the others do."""
        if self.size == 1:
            return number
        import torch
        import torch.distributed as dist

        said = torch.tensor(number)
        with _connected():
            dist.broadcast(said, group=self.group, group_src=0)
        return int(said)

    def have_the_same(self, number: int) -> bool:
        """Whether all members say this."""
        if self.size == 1:
            return True
        import torch.distributed as dist

        every: list[Any] = [None] * self.size
        with _connected():
            dist.all_gather_object(every, number, group=self.group)
        return set(every) == {number}


BY_ITSELF = Team()


class Share(NamedTuple):
    """What one rank does of all there is to do."""

    items: Sequence[int]
    team: Team  # with whom


@dataclass(frozen=True)
class Ranks:
    """This process among those that train one network."""

    rank: int = 0
    count: int = 1
    here: int = 0  # its number among those of this machine
    count_here: int = 1

    def share(self, count: int, *, bands: int = 1) -> Share:
        """What this rank does of so many things, and with which others.

        Args:
            count: how many things there are to do; each is done by one rank, or by a team.
            bands: of how many ranks a team may be.

        Raises:
            InputError: there is nothing for some of them.
        """
        if self.count <= count:
            return Share(range(self.rank, count, self.count), BY_ITSELF)
        size, left = divmod(self.count, count)
        if left or size > bands:
            several = f", or a multiple of that up to {count * bands:,}" if bands > 1 else ""
            raise InputError(
                f"{self.count} ranks for {count} group{'s' * (count > 1)} of runs: some would have"
                f" nothing to do; take at most {count}{several}"
            )
        import torch.distributed as dist

        with _connected():
            groups = [
                dist.new_group(range(first, first + size), timeout=PATIENCE)
                for first in range(0, self.count, size)
            ]
        number, member = divmod(self.rank, size)
        return Share([number], Team(member, size, groups[number]))

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
    except Exception as error:
        if (line := line_of(error)) is None:
            raise
        Path(os.environ["TORCHELASTIC_ERROR_FILE"]).write_text(json.dumps({"message": line}))
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
