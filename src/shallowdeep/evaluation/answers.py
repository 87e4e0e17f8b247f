"""What the trained models say about the pictures of every split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.prepared.split import SPLITS, SplitName

if TYPE_CHECKING:  # `compare` reads metrics and needs no torch
    from shallowdeep.training.model import Model


class Answers(NamedTuple):
    """What every run of several models says about the pictures of one split."""

    labels: NDArray[np.int64]  # [n], index into the classes
    rows: NDArray[np.intp]  # [n], of the prepared pictures
    probabilities: dict[str, NDArray[np.float64]]  # by model: [R, n], of the second class


def answer(models: Mapping[str, Model], prepared: Prepared) -> dict[SplitName, Answers]:
    """Run every model on every split."""
    import torch

    pictures = torch.from_numpy(prepared.pictures)
    answers = {}
    for split in SPLITS:
        rows = prepared.rows(split)
        probabilities = {
            name: model.probabilities(pictures, torch.from_numpy(rows)).double().numpy()
            for name, model in models.items()
        }
        answers[split] = Answers(prepared.labels[rows], rows, probabilities)
    return answers
