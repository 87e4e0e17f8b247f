"""Prepared pictures of noise."""

from pathlib import Path

import numpy as np

from shallowdeep.prepared import prepared_set
from shallowdeep.prepared.gram import gram
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.prepared.split import stratified
from shallowdeep.settings.params import Split

SIZE = 12


def write_prepared(
    folder: Path, *, count: int, seed: int, brighter: int = 15, size: int = SIZE
) -> prepared_set.Prepared:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 2)
    array = rng.integers(0, 240, (count, 3, size, size), dtype=np.uint8)
    array += (brighter * labels[:, None, None, None]).astype(np.uint8)
    classes, half = ("cat", "dog"), (0.5, 0.5, 0.5)
    splits = stratified(
        labels, Split(train=0.82, validation=0.09, test=0.09), classes=classes, seed=0
    )
    manifest = prepared_set.as_table(
        prepared_set.Entry(f"{classes[label]}/{i}.png", "", int(label), split, size, size)
        for i, (label, split) in enumerate(zip(labels, splits, strict=True))
    )
    train = np.flatnonzero([split == "train" for split in splits])
    matrix = np.empty((count, len(train)), dtype=np.float32)
    gram(array, train, Normalisation(half, half), out=matrix)
    folder.mkdir(parents=True)
    np.save(folder / "pictures.npy", array)
    np.save(folder / "gram.npy", matrix)
    prepared_set.write(folder, manifest, prepared_set.Summary(classes, size, half, half))
    return prepared_set.read(folder)
