"""How a network was trained, so that nothing else is taken for what belongs to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shallowdeep.files.errors import InputError
from shallowdeep.settings.params import Params


class Made(NamedTuple):
    """How a model was trained."""

    pictures: str  # SHA-256 of the prepared pictures and their manifest
    answers: str  # SHA-256 of the answers of all folds
    asked: list[int]  # epochs after which there are answers
    parameters: dict[str, Any]  # those of params.yaml that it depends on


def parameters(params: Params, name: str) -> dict[str, Any]:
    """The parameters that the training of a model depends on, by their names in params.yaml."""
    network = params.models[name]
    common = ("seed", "folds", "runs", "batch_size", "lr", "keep", "solver")
    return {key: getattr(params, key) for key in common} | {
        "epochs": network.epochs,
        "hidden": list(network.hidden),
    }


def as_made(about: Mapping[str, Any]) -> Made:
    """What a file says of its model's making; ValueError or TypeError where it says nothing."""
    made = Made(**about)
    values = [made.pictures, made.answers, *made.asked]
    for name, value in made.parameters.items():
        values += [name, *(value if isinstance(value, list) else [value])]
    # A list in lists of lists, each shared, is a small file and a text without end.
    if not all(value is None or isinstance(value, str | int | float) for value in values):
        raise ValueError("what it says of its making is damaged")
    return made


def check_model_file(path: Path) -> None:
    """Refuse to look for a model where there is no file.

    Raises:
        InputError: there is none, or something else.
    """
    if not path.exists():
        raise InputError(
            f"{path}: no such file; `dvc repro` trains the models that dvc.yaml has a stage for"
        )
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no file"
        raise InputError(f"{path}: is {what}, not a model file")
