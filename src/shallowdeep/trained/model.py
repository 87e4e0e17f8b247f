"""models/NAME/weights.safetensors: the weights of fold 0's runs, and what a picture needs first."""

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from shallowdeep.files.atomic import write_safetensors
from shallowdeep.files.errors import InputError
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.settings.params import LEAST_STD

Floats = NDArray[np.float32]

FILE = "weights.safetensors"
LARGEST = 2**31  # bytes of a file: 1,000 runs of the deep network have 0.98 * 10^9
LONGEST_HEADER = 2**20  # bytes; one with 64 layers and 1,000 seeds has 40 kB
LARGEST_SIZE = 1_024  # pixels along each side, as params.yaml allows


class StoredLayer(NamedTuple):
    """One fully connected layer of R runs."""

    weight: Floats  # [R, n, n_prev]
    bias: Floats  # [R, n]


class Model(NamedTuple):
    """One network, trained in R independent runs on fold 0."""

    layers: list[StoredLayer]
    seeds: list[int]  # one per run
    classes: tuple[str, str]  # the output is the probability of the second
    size: int  # pixels along each side of a picture
    normalisation: Normalisation

    def first_layer(self, run: int) -> Floats:
        """Weights of one run's first layer as pictures [n, 3, S, S]."""
        pictures: Floats = self.layers[0].weight[run].reshape(-1, 3, self.size, self.size)
        return pictures


def write(model: Model, path: Path) -> None:
    """Write a model, the same bytes every time.

    The tensors have the keys of ``nn.Sequential(nn.Linear, nn.ReLU, nn.Linear, ...)`` with the runs
    in front, so that run r goes into plain PyTorch as
    ``load_state_dict({key: tensor[r] for key, tensor in load_file(path).items()})``.
    """
    arrays = {}
    for i, layer in enumerate(model.layers):
        arrays[f"{2 * i}.weight"] = np.ascontiguousarray(layer.weight)
        arrays[f"{2 * i}.bias"] = np.ascontiguousarray(layer.bias)
    about = {"seeds": model.seeds, "classes": model.classes, "size": model.size}
    write_safetensors(path, arrays, about | model.normalisation._asdict())


def read(path: Path) -> Model:
    """Read a model that anybody may have written, by its file or folder; its size is the bound.

    Raises:
        InputError: no such file, not a model, or weights that do not fit together.
    """
    path = weights_file(path)
    try:
        content = _content(path)
        return _checked(_about(content), load(content))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (SafetensorError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = error if type(error) is ValueError else "damaged, or of another kind"
        raise InputError(
            f"{path}: not a model of this project ({reason}); `dvc repro` trains one"
        ) from None


def weights_file(path: Path) -> Path:
    """Path of a model's weights, given that file or its folder.

    Raises:
        InputError: there is no such file.
    """
    file = path / FILE if path.is_dir() else path
    if not file.exists():
        raise InputError(f"{file}: no such file; `dvc repro` trains the networks of params.yaml")
    if not file.is_file():
        raise InputError(f"{file}: not an ordinary file")
    return file


def _content(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not block
    with os.fdopen(descriptor, "rb") as file:
        if (size := os.fstat(descriptor).st_size) > LARGEST:
            raise ValueError(f"{size:,} bytes are more than {LARGEST:,}")
        return file.read(LARGEST)


def _about(content: bytes) -> dict[str, Any]:
    """The metadata that `write` left in the header."""
    length = int.from_bytes(content[:8], "little")
    if not 0 < length <= LONGEST_HEADER:
        raise ValueError(f"its header is not of 1 to {LONGEST_HEADER:,} bytes")
    header = json.loads(content[8 : 8 + length])
    return dict(json.loads(header["__metadata__"]["shallowdeep"]))


def _checked(about: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Model:
    """The model of a file's content; ValueError where something does not fit."""
    seeds, size = about["seeds"], about["size"]
    if not (type(size) is int and 1 <= size <= LARGEST_SIZE):
        raise ValueError(f"its size is not from 1 to {LARGEST_SIZE:,} pixels")
    if not (seeds and all(type(seed) is int and 0 <= seed < 2**63 for seed in seeds)):
        raise ValueError("its seeds are not whole numbers, one a run")
    keys = [f"{i}.{part}" for i in range(0, len(arrays), 2) for part in ("weight", "bias")]
    if set(keys) != set(arrays):
        raise ValueError("its tensors are not 0.weight, 0.bias, 2.weight and so on")
    layers = [StoredLayer(arrays[w], arrays[b]) for w, b in zip(keys[::2], keys[1::2], strict=True)]
    _check_layers(layers, runs=len(seeds), inputs=3 * size**2)
    return Model(
        layers, seeds, _classes(about["classes"]), size, _normalisation(about["mean"], about["std"])
    )


def _check_layers(layers: Sequence[StoredLayer], *, runs: int, inputs: int) -> None:
    n_prev = inputs
    for weight, bias in layers:
        if {weight.dtype, bias.dtype} != {np.dtype(np.float32)}:
            raise ValueError("its numbers are not float32")
        if weight.ndim != 3 or weight.shape[::2] != (runs, n_prev):
            raise ValueError(f"weights of shape {list(weight.shape)} after {n_prev} inputs")
        n_prev = weight.shape[1]
        if bias.shape != (runs, n_prev):
            raise ValueError(f"biases of shape {list(bias.shape)} for {n_prev} neurons")
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise ValueError("a weight is not finite")
    if n_prev != 1:
        raise ValueError(f"{n_prev} outputs instead of 1")


def _classes(names: Sequence[object]) -> tuple[str, str]:
    first, second = names
    for name in (first, second):
        if not (isinstance(name, str) and 0 < len(name) <= 255):
            raise ValueError("a class has no name, or one that no folder can have")
    if first == second:
        raise ValueError("both classes have one name")
    return str(first), str(second)


def _normalisation(mean: Sequence[Any], std: Sequence[Any]) -> Normalisation:
    numbers = [float(number) for number in (*mean, *std)]
    if len(mean) != 3 or len(std) != 3 or not all(map(math.isfinite, numbers)):
        raise ValueError("its mean and standard deviation are not three finite numbers each")
    if not (min(mean) >= 0 and max(mean) <= 1 and min(std) >= LEAST_STD and max(std) <= 1):
        raise ValueError(f"a mean is not from 0 to 1, or a deviation not from {LEAST_STD:g} to 1")
    r, g, b, s, t, u = numbers
    return Normalisation((r, g, b), (s, t, u))
