"""Predictions of all networks, split by split."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.evaluation.intervals import Design
from shallowdeep.prepared.folds import SplitName
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.trained.predictions import Predictions


class SplitPredictions(NamedTuple):
    """Predictions of several networks for the pictures of one split."""

    labels: NDArray[np.int64]  # [n], index into the classes
    rows: NDArray[np.intp]  # [n], of the prepared pictures
    folds: NDArray[np.int64]  # [n], the fold whose runs predict the picture
    trained: int  # training pictures of a fold's runs; 0: these pictures themselves
    probabilities: Mapping[str, NDArray[np.float64]]  # by network: [R, n], of the second class

    @property
    def design(self) -> Design:
        """Labels and folds, as intervals need them."""
        return Design(self.labels, self.folds, self.trained)


def by_split(
    networks: Mapping[str, Predictions], prepared: Prepared
) -> dict[SplitName, SplitPredictions]:
    """Out-of-fold predictions for the tested pictures, fold 0's for those that it trained on.

    Args:
        networks: predictions by network.
        prepared: the pictures.
    """
    train, validation, test = prepared.rows("train"), prepared.rows("validation"), prepared.tested()

    def of(
        rows: NDArray[np.intp],
        folds: NDArray[np.int64],
        trained: int,
        probabilities: Callable[[Predictions], NDArray[np.float32]],
    ) -> SplitPredictions:
        by_network = {name: probabilities(one).astype(np.float64) for name, one in networks.items()}
        return SplitPredictions(prepared.labels[rows], rows, folds, trained, by_network)

    return {
        "train": of(train, np.zeros_like(train), 0, lambda one: one.train),
        "validation": of(
            validation, np.zeros_like(validation), len(train), lambda one: one.validation
        ),
        "test": of(test, prepared.parts[test], len(train), lambda one: one.test[-1]),
    }
