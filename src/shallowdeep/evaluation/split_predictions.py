"""Predictions of all networks, split by split."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.evaluation.intervals import Design
from shallowdeep.prepared.folds import SplitName
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.trained.predictions import Predictions

ALIKE = 1e-6  # probabilities are, that differ by less


class SplitPredictions(NamedTuple):
    """Predictions of several networks for the pictures of one split."""

    design: Design
    rows: NDArray[np.intp]  # [n], of the prepared pictures
    probabilities: Mapping[str, NDArray[np.float64]]  # by network: [R, n], of the second class

    def dead(self, name: str) -> float:
        """Share of a network's runs that give every picture of their fold the same probability."""
        folds = (self.probabilities[name][:, own] for own in self.design.by_fold())
        return float(np.mean([np.ptp(of_fold, 1) < ALIKE for of_fold in folds]))


def by_split(
    networks: Mapping[str, Predictions], prepared: Prepared
) -> dict[SplitName, SplitPredictions]:
    """Out-of-fold predictions for the tested pictures, fold 0's for its own training pictures."""
    train = prepared.rows("train")
    by_row: dict[SplitName, NDArray[np.intp]] = {
        "train": train,
        "validation": prepared.rows("validation"),
        "test": prepared.tested(),
    }
    found: dict[SplitName, SplitPredictions] = {}
    for split, rows in by_row.items():
        folds = prepared.parts[rows] if split == "test" else np.zeros_like(rows)
        trained, groups = 0 if split == "train" else len(train), prepared.groups[rows]
        design = Design(prepared.labels[rows], folds, trained, groups)
        probabilities = {}
        for name, one in networks.items():
            own = {"train": one.train, "validation": one.validation, "test": one.test[-1]}[split]
            probabilities[name] = own.astype(np.float64)
        found[split] = SplitPredictions(design, rows, probabilities)
    return found
