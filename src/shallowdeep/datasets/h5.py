"""Unpack the pictures of a course on neural networks from its two HDF5 files.

TRAIN.h5, TEST.h5 -> FOLDER/non-cat/*.png, FOLDER/cat/*.png

The files hold `train_set_x`, uint8 [m, 64, 64, 3], and `train_set_y`, [1, m] or [m], 1 for a cat;
`test_set_x` and `test_set_y` likewise; and, in most copies, the classes' names as `list_classes`.
Pixels are unchanged, and the PNG files have the same bytes every time.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shallowdeep.datasets.class_folders import new_class_folders
from shallowdeep.files.errors import InputError, one_line_errors

CLASSES = ("non-cat", "cat")  # of label 0 and label 1


class PartFile(NamedTuple):
    """The content of one file."""

    pictures: NDArray[np.uint8]  # [m, 64, 64, 3]
    labels: list[int]  # m, 0 or 1
    classes: tuple[str, ...]  # of both labels


def unpack(train: Path, test: Path, folder: Path) -> None:
    """Fill a new `folder` with the pictures of both files, completely or not at all.

    Raises:
        InputError: a file is missing, damaged or of another layout, or `folder` is not empty.
    """
    parts = {"train": read_part(train, "train"), "test": read_part(test, "test")}
    classes = parts["train"].classes
    if parts["test"].classes != classes:
        raise InputError(
            f"{test}: list_classes: has {parts['test'].classes}, {train} has {classes}"
        )
    with new_class_folders(folder, classes) as new:
        for name, part in parts.items():
            for number, (pixels, label) in enumerate(zip(part.pictures, part.labels, strict=True)):
                Image.fromarray(pixels).save(new / classes[label] / f"{name}-{number:04}.png")


def read_part(path: Path, name: str) -> PartFile:
    """Read the arrays of the part `name`, `train` or `test`, from its file.

    Raises:
        InputError: the file is missing, damaged or of another layout.
    """
    if not path.is_file():
        raise InputError(f"{path}: is no file; an HDF5 file with {name}_set_x is needed")
    try:
        with h5py.File(path) as file:
            pictures, labels = (_array(path, file, f"{name}_set_{axis}") for axis in "xy")
            classes = _classes(path, file) if "list_classes" in file else CLASSES
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: cannot be read as an HDF5 file: {error}") from None
    m = len(pictures) if pictures.ndim else 0
    if pictures.dtype != np.uint8 or pictures.shape != (m, 64, 64, 3):
        found = f"{pictures.dtype} {list(pictures.shape)}"
        raise InputError(f"{path}: {name}_set_x: is {found}, not uint8 [m, 64, 64, 3]")
    if labels.shape not in ((m,), (1, m)):
        raise InputError(
            f"{path}: {name}_set_y: is {list(labels.shape)}, not [{m}] or [1, {m}],"
            " one label for each picture"
        )
    if other := [label for label in labels.flat if label not in (0, 1)]:
        raise InputError(f"{path}: {name}_set_y: {other[0]!s:.40} is neither 0 nor 1")
    return PartFile(pictures, [int(label) for label in labels.flat], classes)


def _array(path: Path, file: h5py.File, key: str) -> NDArray[Any]:
    dataset = file.get(key)
    if not isinstance(dataset, h5py.Dataset):
        raise InputError(f"{path}: {key}: is missing; there is {', '.join(file) or 'nothing'}")
    array: NDArray[Any] = np.asarray(dataset[()])
    return array


def _classes(path: Path, file: h5py.File) -> tuple[str, ...]:
    names = [
        name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
        for name in _array(path, file, "list_classes").flat
    ]
    if not all(re.fullmatch(r"\w[\w -]*", name) for name in names) or len({*names}) != 2:
        raise InputError(f"{path}: list_classes: {names!s:.80} are not two names for folders")
    return tuple(names)


def main(arguments: Sequence[str] | None = None) -> None:
    """Unpack both files into the folder named on the command line."""
    parser = argparse.ArgumentParser(
        "python -m shallowdeep.datasets.h5", description=__doc__.splitlines()[0]
    )
    parser.add_argument("train", type=Path, metavar="TRAIN.h5", help="has train_set_x, train_set_y")
    parser.add_argument("test", type=Path, metavar="TEST.h5", help="has test_set_x, test_set_y")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or an empty folder")
    options = parser.parse_args(arguments)
    with one_line_errors("h5"):
        unpack(options.train, options.test, options.folder)


if __name__ == "__main__":
    main()
