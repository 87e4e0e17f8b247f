"""What the trained models say about the pictures of every split, and how good that is."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from shallowdeep.model import Model
from shallowdeep.prepared import Prepared
from shallowdeep.scores import SCORES
from shallowdeep.split import SPLITS, SplitName


class Answers(NamedTuple):
    """What every run of several models says about the pictures of one split."""

    labels: NDArray[np.int64]  # [n], index into the classes
    rows: NDArray[np.intp]  # [n], of the prepared pictures
    probabilities: dict[str, NDArray[np.float64]]  # by model: [R, n], of the second class


def answer(models: Mapping[str, Model], prepared: Prepared) -> dict[SplitName, Answers]:
    """Run every model on every split."""
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


def metrics(answers: Mapping[SplitName, Answers]) -> dict[str, Any]:
    """What goes into metrics.json.

    Returns:
        ``model -> split -> score -> {mean, std}`` over the runs, and ``first_run``, the source
        article's single figure: the test accuracy of one run of each network. 6 digits.
    """
    content: dict[str, Any] = {name: {} for name in answers["test"].probabilities}
    for split, (labels, _, probabilities) in answers.items():
        for name, of_model in probabilities.items():
            runs = {key: score(labels, of_model).runs for key, score in SCORES.items()}
            content[name][split] = {key: _over_runs(values) for key, values in runs.items()}
            if split == "test":
                first = round(float(runs["accuracy"][0]), 6)
                content[name]["test"]["accuracy"]["first_run"] = first
    return content


def _over_runs(values: NDArray[np.float64]) -> dict[str, float]:
    std = values.std(ddof=1) if len(values) > 1 else 0.0
    return {"mean": round(float(values.mean()), 6), "std": round(float(std), 6)}
