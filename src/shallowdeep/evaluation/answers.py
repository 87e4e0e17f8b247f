"""What the trained models say about the pictures, and whether what lies here belongs together."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shallowdeep.evaluation.intervals import Design
from shallowdeep.files.errors import InputError
from shallowdeep.prepared.folds import SplitName
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.settings.params import Params
from shallowdeep.training.fold_0 import Fold0
from shallowdeep.training.made import Made, parameters


class Answers(NamedTuple):
    """What every run of several models says about pictures."""

    labels: NDArray[np.int64]  # [n], index into the classes
    rows: NDArray[np.intp]  # [n], of the prepared pictures
    folds: NDArray[np.int64]  # [n], whose runs answer: each picture is in one
    trained: int  # pictures that a fold's runs were trained on; 0: on these very ones
    probabilities: Mapping[str, NDArray[np.float64]]  # by model: [R, n], of the second class

    @property
    def design(self) -> Design:
        """What an interval needs to know besides what the runs say."""
        return Design(self.labels, self.folds, self.trained)


def check_belonging(models: Mapping[str, Made], prepared: Prepared, params: Params) -> None:
    """Refuse models of other pictures or parameters than those that lie here.

    Raises:
        InputError: naming the model, and what it was trained with.
    """
    prepared.check_folds(params.folds)
    for name, made in models.items():
        path = Path("models") / f"{name}.pt"
        for key, wanted in parameters(params, name).items():
            if made.parameters.get(key) != wanted:
                had = made.parameters.get(key)
                raise InputError(
                    f"{path}: trained with {key}: {had}, params.yaml has {wanted}; `dvc repro`"
                    " trains it"
                )
        if made.pictures != prepared.sha256:
            raise InputError(
                f"{path}: trained on other pictures than those in data/prepared; `dvc repro`"
                " trains it"
            )


def on_the_tested(prepared: Prepared, probabilities: Mapping[str, NDArray[np.float32]]) -> Answers:
    """What all folds' runs say about the pictures that they were neither trained nor chosen by.

    Args:
        prepared: the pictures.
        probabilities: by model, of the second class, columns as in `Prepared.tested`.
    """
    rows = prepared.tested()
    return Answers(
        prepared.labels[rows],
        rows,
        prepared.parts[rows],
        len(prepared.rows("train")),
        {name: values.astype(np.float64) for name, values in probabilities.items()},
    )


def of_fold_0(models: Mapping[str, Fold0], prepared: Prepared) -> dict[SplitName, Answers]:
    """What fold 0's runs say about the pictures that they were trained and chosen by."""
    said: dict[SplitName, dict[str, NDArray[np.float32]]] = {
        "train": {name: one.train for name, one in models.items()},
        "validation": {name: one.validation for name, one in models.items()},
    }
    answers: dict[SplitName, Answers] = {}
    for split, probabilities in said.items():
        rows = prepared.rows(split)
        answers[split] = Answers(
            prepared.labels[rows],
            rows,
            np.zeros(len(rows), np.int64),
            0 if split == "train" else len(prepared.rows("train")),
            {name: values.astype(np.float64) for name, values in probabilities.items()},
        )
    return answers
