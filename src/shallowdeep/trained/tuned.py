"""The learning rates of a list in params.yaml, and those that the folds took."""

from typing import NamedTuple


class Tuned(NamedTuple):
    """Learning rates of which each fold took one, by validation."""

    lrs: list[float]  # all that were trained, ascending [L]
    taken: list[float]  # by each fold [K]

    @property
    def numbers(self) -> list[int]:
        """Number of each fold's learning rate among all [K]."""
        return [self.lrs.index(lr) for lr in self.taken]
