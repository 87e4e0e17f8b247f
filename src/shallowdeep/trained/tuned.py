"""The learning rates of a list in params.yaml, and the ones that the folds took."""

from collections import Counter
from typing import NamedTuple


class Tuned(NamedTuple):
    """Learning rates of which each fold took one, by validation."""

    lrs: list[float]  # all that were trained, ascending [L]
    taken: list[float]  # by each fold [K]

    @property
    def numbers(self) -> list[int]:
        """Number of each fold's learning rate among all [K]."""
        return [self.lrs.index(lr) for lr in self.taken]

    @property
    def edge(self) -> str:
        """A remark if most folds took the list's first or last: the best may lie beyond."""
        (most, count), *_ = Counter(self.taken).most_common()
        ends = {self.lrs[0]: ("first", "smaller"), self.lrs[-1]: ("last", "larger")}
        if len(self.lrs) == 1 or most not in ends or 2 * count <= len(self.taken):
            return ""
        end, way = ends[most]
        return f"{most:g} is the {end} of the list; a {way} one may be better"
