"""results/NAME/fold_0.safetensors: what `evaluate` asks of a model besides the held-out answers.

That is what fold 0's runs say about the pictures that they have seen, and what a first layer looks
for. Asking the model itself needs torch, whose import takes a third of the whole stage.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from shallowdeep.files.atomic import write_safetensors
from shallowdeep.files.checksums import of_array, of_json
from shallowdeep.files.errors import InputError
from shallowdeep.files.known_digests import known_sha256
from shallowdeep.training.made import Made, as_made, check_model_file

Floats = NDArray[np.float32]


class Fold0(NamedTuple):
    """Of one model."""

    made: Made
    train: Floats  # [R, n], probability of the second class for the pictures trained on
    validation: Floats  # [R, n], and for those that validate
    first_layer: Floats  # [h, 3, S, S], weights of the first run


_ARRAYS = ("first_layer", "train", "validation")


def write(fold_0: Fold0, model: Path, path: Path) -> None:
    """Write what is known of a model, the same bytes every time, beside the model's own file."""
    arrays = {name: np.ascontiguousarray(getattr(fold_0, name)) for name in _ARRAYS}
    about = {"made": fold_0.made._asdict(), "model": known_sha256(model)}
    about["sha256"] = _checksum(about, arrays)
    write_safetensors(path, arrays, about)


def read(path: Path, model: Path) -> Fold0:
    """Read what is known of a model.

    Raises:
        InputError: a file is missing or damaged, or this is of another model than that.
    """
    check_model_file(model)
    try:
        with safe_open(path, "numpy") as file:
            about = json.loads(file.metadata()["shallowdeep"])
            arrays = {name: file.get_tensor(name) for name in _ARRAYS}
        if about.pop("sha256") != _checksum(about, arrays):
            raise ValueError
        found = Fold0(as_made(about["made"]), **arrays)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, AttributeError):
        raise InputError(
            f"{path}: damaged, or of another kind; `dvc repro --force` makes it anew"
        ) from None
    if known_sha256(model) != about["model"]:
        raise InputError(
            f"{model}: not the model that {path} is of; `dvc repro --force` makes both anew"
        )
    return found


def _checksum(about: dict[str, Any], arrays: dict[str, Floats]) -> str:
    described = [
        [name, str(array.dtype), array.shape, of_array(array)]
        for name, array in sorted(arrays.items())
    ]
    return of_json([about, described])
