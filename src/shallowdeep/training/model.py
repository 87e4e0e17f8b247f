"""A trained model's file: the weights of all runs and what is needed to use them on a picture."""

import math
import pickle
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from shallowdeep.files.atomic import write_torch
from shallowdeep.files.checksums import of_json, of_tensors
from shallowdeep.files.errors import InputError
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.prepared.prepared_set import Prepared
from shallowdeep.training.fold_0 import Fold0
from shallowdeep.training.made import Made, as_made, check_model_file
from shallowdeep.training.network import Layer, logits_above, probability
from shallowdeep.training.picture_file import Pictures, at_hand
from shallowdeep.training.primal import on_all_pictures, pixel_outputs

# What torch.load and a walk through its content raise at a file that is not as `write` wrote it.
_DAMAGE: tuple[type[Exception], ...] = (pickle.UnpicklingError, ArithmeticError, AttributeError)
_DAMAGE += (EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError)
_DAMAGE += (zipfile.BadZipFile, NotImplementedError)

_KEYS = {"weights", "seeds", "classes", "size", "mean", "std", "made", "sha256"}


class Model(NamedTuple):
    """One network, trained in R independent runs on fold 0."""

    layers: list[Layer]
    seeds: list[int]  # one per run
    classes: tuple[str, str]  # the output is the probability of the second
    size: int  # pixels along each side of a picture
    normalisation: Normalisation
    made: Made

    def probabilities(self, pictures: Pictures, rows: Tensor) -> Tensor:
        """Probability of the second class, by each run.

        Args:
            pictures: uint8 [N, 3, S, S].
            rows: int64 [n], which of them.

        Returns:
            float32 [R, n].
        """
        first, *upper = self.layers
        Z = pixel_outputs(first.weight, pictures, self.normalisation, rows) + first.bias
        return probability(logits_above(Z, upper))

    def on_its_own(
        self,
        prepared: Prepared,
        *,
        threads: int = 1,
        advance: Callable[[int], None] = lambda _: None,
    ) -> Fold0:
        """What `evaluate` asks of the model, computed on a CPU whatever it was trained on.

        Args:
            prepared: the pictures that it was trained on.
            threads: how many share the work; the bits are the same for any number.
            advance: called with each number of pictures that are done, from any thread.
        """
        (first, bias), *upper = [Layer(*(one.cpu() for one in layer)) for layer in self.layers]
        pictures = at_hand(prepared.pictures, torch.device("cpu"))
        (Z,) = on_all_pictures(
            [first], pictures, self.normalisation, threads=threads, advance=advance
        )
        said = probability(logits_above(Z + bias, upper)).numpy()
        return Fold0(
            self.made,
            train=said[:, prepared.rows("train")],
            validation=said[:, prepared.rows("validation")],
            first_layer=first[0].view(-1, 3, self.size, self.size).numpy(),
        )


def write(model: Model, path: Path) -> None:
    """Write a model, the same bytes every time.

    ``weights`` has the keys of ``nn.Sequential(nn.Linear, nn.ReLU, nn.Linear, ...)`` with the runs
    in front, so run r goes into plain PyTorch as ``load_state_dict({k: v[r] for k, v in ...})``.
    """
    weights = {}
    for i, layer in enumerate(model.layers):
        weights[f"{2 * i}.weight"] = layer.weight.cpu().contiguous()
        weights[f"{2 * i}.bias"] = layer.bias.cpu().squeeze(-1).contiguous()
    content = {
        "weights": weights,
        "seeds": model.seeds,
        "classes": list(model.classes),
        "size": model.size,
        "mean": list(model.normalisation.mean),
        "std": list(model.normalisation.std),
        "made": model.made._asdict(),
    }
    content["sha256"] = _checksum(content)
    write_torch(path, content)


def read(path: Path) -> Model:
    """Read a model file; no code in it is run, and it takes no more memory than its size.

    Raises:
        InputError: no such file, not a model, altered, or with weights that do not fit together.
    """
    check_model_file(path)
    try:
        _check_packing(path)
        with warnings.catch_warnings(action="ignore"):  # torch remarks on foreign pickles
            return _checked(torch.load(path, map_location="cpu", weights_only=True))
    except PermissionError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except _DAMAGE as error:
        reason = error if type(error) is ValueError else "damaged, or of another kind"
        raise InputError(
            f"{path}: not a model of this project ({reason}); `dvc repro --force` makes it anew"
        ) from None


def _check_packing(path: Path) -> None:
    """Refuse a file that would unpack to more than it is; torch packs without compression."""
    with zipfile.ZipFile(path) as file:
        entries = file.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError("it is compressed")
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise ValueError("it would unpack to more than its size")


def _checked(content: dict[str, Any]) -> Model:
    """Take the file's content apart; ValueError where something does not fit."""
    if set(content) != _KEYS:
        raise ValueError("its parts are not those of a model")
    weights, seeds, size = content["weights"], content["seeds"], content["size"]
    _check_tensors(weights)
    if not (_is_whole(size, 1, 2**16) and seeds):
        raise ValueError("its size is no number of pixels, or it has no runs")
    if not all(_is_whole(seed, 0, 2**128) for seed in seeds):
        raise ValueError("a seed is no whole number")
    model = Model(
        layers=_layers(weights),
        seeds=seeds,
        classes=_classes(content["classes"]),
        size=size,
        normalisation=_normalisation(content["mean"], content["std"]),
        made=as_made(content["made"]),
    )
    _check_shapes(model.layers, runs=len(model.seeds), inputs=3 * model.size**2)
    if content.pop("sha256") != _checksum(content):
        raise ValueError("its checksum does not fit")
    return model


def _check_tensors(weights: Mapping[str, Tensor]) -> None:
    """Refuse what shows one stored number as many: a computation with it would take their room."""
    for name, tensor in weights.items():
        if tensor.dtype != torch.float32 or tensor.layout != torch.strided or tensor.is_meta:
            raise ValueError(f"{name:.20} is not of float32 numbers")
        if not tensor.is_contiguous() or tensor.numel() * 4 > tensor.untyped_storage().nbytes():
            raise ValueError(f"{name:.20} has fewer numbers than its shape says")


def _is_whole(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _classes(names: Sequence[str]) -> tuple[str, str]:
    first, second = names
    for name in (first, second):
        if not (isinstance(name, str) and 0 < len(name) <= 255):
            raise ValueError("a class has no name, or one that no folder can have")
    if first == second:
        raise ValueError("both classes have one name")
    return first, second


def _normalisation(mean: Sequence[float], std: Sequence[float]) -> Normalisation:
    for number in (*mean, *std):
        if not (type(number) in (int, float) and math.isfinite(number)):
            raise ValueError("its mean or standard deviation is not finite")
    if min(std) <= 0:
        raise ValueError("a standard deviation is not above 0")
    (r, g, b), (s, t, u) = mean, std
    return Normalisation((r, g, b), (s, t, u))


def _checksum(content: dict[str, Any]) -> str:
    about = {key: value for key, value in content.items() if key != "weights"}
    return of_json([about, of_tensors(content["weights"].values())])


def _layers(weights: dict[str, Tensor]) -> list[Layer]:
    numbers = range(0, len(weights), 2)
    return [Layer(weights[f"{i}.weight"], weights[f"{i}.bias"].unsqueeze(-1)) for i in numbers]


def _check_shapes(layers: Sequence[Layer], *, runs: int, inputs: int) -> None:
    n_prev = inputs
    for weight, bias in layers:
        if weight.ndim != 3 or weight.shape[::2] != (runs, n_prev):
            raise ValueError(f"weights of shape {list(weight.shape)} after {n_prev} inputs")
        n_prev = weight.shape[1]
        if bias.shape != (runs, n_prev, 1):
            raise ValueError(f"biases of shape {list(bias.shape)} for {n_prev} neurons")
        if not (weight.isfinite().all() and bias.isfinite().all()):
            raise ValueError("a weight is not finite")
    if n_prev != 1:
        raise ValueError(f"{n_prev} outputs instead of 1")
