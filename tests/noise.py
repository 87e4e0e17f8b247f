"""Prepared pictures of noise, and trainings on them."""

from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from shallowdeep.pictures.gram import gram
from shallowdeep.pictures.splitting import cut
from shallowdeep.prepared import prepared_set
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.settings.params import Split
from shallowdeep.training.checkpoint import Checkpoints
from shallowdeep.training.fitting import Fitting
from shallowdeep.training.network import Layer, logits_above
from shallowdeep.training.propagation import linear_forward
from shallowdeep.training.sgd import Epoch, Runs, Settings

SIZE = 12
CPU = torch.device("cpu")


def write_prepared(
    folder: Path, *, count: int, seed: int, brighter: int = 15, size: int = SIZE, folds: int = 1
) -> prepared_set.Prepared:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 2)
    array = rng.integers(0, 240, (count, 3, size, size), dtype=np.uint8)
    array += (brighter * labels[:, None, None, None]).astype(np.uint8)
    classes, half = ("cat", "dog"), (0.5, 0.5, 0.5)
    single = Split(train=0.82, validation=0.09, test=0.09)
    parts = cut(labels, single, folds=folds, classes=classes, seed=0)
    manifest = prepared_set.as_table(
        prepared_set.ManifestRow(f"{classes[label]}/{i}.png", "", int(label), part, size, size)
        for i, (label, part) in enumerate(zip(labels, parts.tolist(), strict=True))
    )
    matrix = np.empty((count, count), dtype=np.float32)
    gram(array, Normalisation(half, half), out=matrix)
    folder.mkdir(parents=True)
    np.save(folder / "pictures.npy", array)
    np.save(folder / "gram.npy", matrix)
    prepared_set.write(folder, manifest, prepared_set.Summary(classes, folds, size, half, half))
    return prepared_set.read(folder)


class Trained(NamedTuple):
    """Result of training some runs of one fold."""

    layers: list[Layer]
    epochs: list[Epoch]


def fitting(
    pictures: prepared_set.Prepared,
    hidden: list[int],
    seeds,
    *,
    solver: str,
    device: torch.device = CPU,
    dtype: torch.dtype = torch.float32,
    **options,
) -> Fitting:
    """The training of some runs of fold 0."""
    settings = {"epochs": 10, "batch_size": 16, "lr": 0.05, "keep": "last"} | options
    every = Settings(hidden, **settings)
    return Fitting(pictures, every, [list(seeds)], solver=solver, device=device, dtype=dtype)


def trained(pictures, hidden, seeds, *, place: Checkpoints | None = None, **options) -> Trained:
    """Train some runs of fold 0."""
    fitted = fitting(pictures, hidden, seeds, **options).fit(place)
    history = torch.from_numpy(fitted.history)[fitted.taken[0], 0]
    return Trained(fitted.layers, [Epoch(*measures.T) for measures in history.transpose(0, 1)])


def logits(layers: list[Layer], inputs: Tensor) -> Tensor:
    """Outputs [R, m] before the sigmoid, for inputs [D, m]."""
    return logits_above(linear_forward(inputs, *layers[0]), layers[1:])


class StoppedError(Exception):
    """The training is interrupted."""


@contextmanager
def interrupted(method: str, after: int):
    """Interrupt a training in place of the call of a method of Runs that follows so many."""
    whole, calls = getattr(Runs, method), []

    def stopping(*arguments, **named):
        if len(calls) == after:
            raise StoppedError
        calls.append(method)
        return whole(*arguments, **named)

    with pytest.MonkeyPatch.context() as patched, pytest.raises(StoppedError):
        patched.setattr(Runs, method, stopping)
        yield
