"""What the trained models say about the pictures of every split, and how good that is."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from shallowdeep.model import Model
from shallowdeep.prepared import Prepared
from shallowdeep.scores import accuracy
from shallowdeep.split import SPLITS, SplitName
from shallowdeep.statistics import Difference, Interval, compare, summarise, verdict


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


def metrics(answers: Mapping[SplitName, Answers], *, alpha: float) -> dict[str, Any]:
    """What goes into metrics.json.

    Args:
        answers: by split.
        alpha: 1 - alpha is the confidence of the intervals; the verdict needs p below alpha.

    Returns:
        ``model -> split -> score -> {mean, std, low, high}``, over the runs;
        ``difference -> split -> score -> {mean, low, high, p_value}``, deep minus shallow;
        ``verdict``, on the test split's accuracy. Numbers are rounded to 6 digits. Test accuracy
        has ``first_run`` too: the source article's single figure, of one run of each network.
    """
    content: dict[str, Any] = {name: {} for name in answers["test"].probabilities}
    content["difference"] = {}
    for split, (labels, _, probabilities) in answers.items():
        for name, of_model in probabilities.items():
            content[name][split] = _rounded(summarise(labels, of_model, alpha=alpha))
        deep, shallow = probabilities["deep"], probabilities["shallow"]
        differences = compare(labels, deep, shallow, alpha=alpha)
        content["difference"][split] = _rounded(differences)
        if split == "test":
            content["verdict"] = verdict(differences["accuracy"], runs=len(deep))
            for name, of_model in probabilities.items():
                first = float(accuracy(labels, of_model[:1]).runs[0])
                content[name]["test"]["accuracy"]["first_run"] = round(first, 6)
    return content


def _rounded(scores: Mapping[str, Interval | Difference]) -> dict[str, dict[str, float]]:
    return {
        name: {key: round(value, 6) for key, value in score._asdict().items()}
        for name, score in scores.items()
    }
