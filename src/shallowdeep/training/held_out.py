"""results/NAME/answers.npy: what every run says about the pictures that its fold tests."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.atomic import replacing
from shallowdeep.files.checksums import of_array
from shallowdeep.files.errors import InputError
from shallowdeep.training.made import Made

Probabilities = NDArray[np.floating[Any]]  # [A, R, N_tested], of the second class


def write(answers: Probabilities, path: Path) -> None:
    """Write answers.

    Args:
        answers: after each epoch of `Made.asked`, by each run, about each tested picture in the
            manifest's order: probabilities of the second class [A, R, N_tested]. The last ones are
            those of the weights that are kept.
        path: of answers.npy.
    """
    with replacing(path) as new, new.open("wb") as file:
        np.save(file, answers.astype(np.float32))


def read(path: Path, made: Made, *, runs: int, tested: int) -> Probabilities:
    """Read the answers of a model.

    Args:
        path: of answers.npy.
        made: what the model's file says of its training.
        runs: of each fold.
        tested: how many pictures there must be.

    Raises:
        InputError: the file is missing, damaged, or of another training than the model's.
    """
    try:
        answers: NDArray[Any] = np.load(path)
        fits = answers.dtype == np.float32 and answers.shape == (len(made.asked), runs, tested)
        if not fits or of_array(answers) != made.answers:
            raise ValueError
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except (ValueError, EOFError):
        raise InputError(
            f"{path}: not what the model said when it was trained; `dvc repro --force` makes both"
            " anew"
        ) from None
    return answers
