"""params.yaml as frozen records, every value checked before any work."""

import json
import math
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    field_validator,
    model_validator,
)

from shallowdeep.files.yaml_file import parse
from shallowdeep.settings.checked import CheckedRecord, checked, shown, unquoted

Channels = tuple[float, float, float]  # one number for each of red, green, blue

LEAST_STD = 1e-6  # below it, inputs leave the range of float32
QUESTION = ("shallow", "deep")  # networks that the question compares
NAME = "[a-z0-9][a-z0-9_-]*"  # of a further network
TAKEN = {
    **dict.fromkeys(QUESTION, "a network below `models`"),
    "difference": "a key of results/metrics.json",
    "verdict": "a key of results/metrics.json",
    "equal": "a verdict",
    "undecided": "a verdict",
    "plots": "a folder of results/",
    "provenance": "a folder of results/",
}

_Fraction = Annotated[float, Field(gt=0, le=1)]
_Mean = Annotated[float, Field(ge=0, le=1)]
_Std = Annotated[float, Field(ge=LEAST_STD, le=1)]
_Means, _Stds = tuple[_Mean, _Mean, _Mean], tuple[_Std, _Std, _Std]
_Lr = Annotated[float, Field(gt=0, le=1_000)]
_Lrs = Annotated[tuple[_Lr, ...], Field(max_length=64)]
_Init = Literal["torch", "he"]
_Epochs = Annotated[int, Field(ge=1, le=1_000_000)]
_Width = Annotated[int, Field(ge=1, le=4_096)]


_as_tuple = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)


def _two(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) == 1:
        raise ValueError(f"{shown(list(names))} does not name two classes")
    return names


def _names_groups(expression: str) -> str:
    """Refuse what is no expression with a group."""
    if expression in ("", "folder"):
        return expression
    try:
        groups = re.compile(expression).groups
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{shown(expression)} is no regular expression: {error}") from None
    if not groups:
        needed = "its first group in parentheses names what belongs together, as in '(clip\\d+)_'"
        raise ValueError(f"{shown(expression)} is neither `folder` nor has a group; {needed}")
    return expression


def _channels(one: Any, three: Any) -> BeforeValidator:
    """Validator of one number for all channels, of three, or of `train`."""
    strict = ConfigDict(strict=True)
    single, triple = TypeAdapter(one, config=strict), TypeAdapter(three, config=strict)

    def check(value: object) -> object:
        if value == "train":
            return value
        if isinstance(value, list | tuple):
            if len(value) != 3:
                raise ValueError(f"{len(value)} numbers; 3 are needed, one per channel")
            return triple.validate_python(tuple(value))
        if isinstance(value, str | bool) or not isinstance(value, int | float):
            message = f"{shown(value)} is not a number, a list of 3 or `train`"
            raise ValueError(f"{message}{unquoted(value)}")
        return (single.validate_python(value),) * 3

    return BeforeValidator(check, json_schema_input_type=one | three | Literal["train"])


def _lr() -> BeforeValidator:
    """Validator of a learning rate, or of several, which come out ascending."""
    strict = ConfigDict(strict=True)
    single, several = TypeAdapter(_Lr, config=strict), TypeAdapter(_Lrs, config=strict)

    def check(value: object) -> object:
        if not isinstance(value, list | tuple):
            return single.validate_python(value)
        rates = several.validate_python(tuple(value))
        if not rates:
            raise ValueError("[] holds no learning rate; one number or more are needed")
        for rate in rates:
            if rates.count(rate) > 1:
                raise ValueError(f"{shown(value)} holds {rate:g} twice")
        return tuple(sorted(rates))

    unique = Field(min_length=1, max_length=64, json_schema_extra={"uniqueItems": True})
    return BeforeValidator(check, json_schema_input_type=_Lr | Annotated[list[_Lr], unique])


class Split(CheckedRecord):
    """Fractions of the pictures; they add up to 1."""

    train: _Fraction = Field(description="fraction to train on")
    validation: _Fraction = Field(description="fraction to choose the weights on")
    test: _Fraction = Field(description="fraction to compare the models on")

    @model_validator(mode="after")
    def _whole(self) -> "Split":
        total = self.train + self.validation + self.test
        if not math.isclose(total, 1, abs_tol=1e-9):
            raise ValueError(f"the fractions add up to {total:g}, not to 1")
        return self


class Data(CheckedRecord):
    """Pictures and their conversion to numbers."""

    dir: str = Field(
        min_length=1,
        pattern=r"^[^\u0000]*$",
        description="a folder with one subfolder per class, two classes",
    )
    classes: Annotated[tuple[str, ...], Field(max_length=2), _as_tuple, AfterValidator(_two)] = (
        Field(default=(), description="[]: all its subfolders; or the names of the two to take")
    )
    size: int = Field(ge=1, le=1_024, description="pictures are resized to size x size")
    max_pixels: int = Field(
        ge=1, le=2**31, description="a larger picture is rejected unread (decompression bomb)"
    )
    on_reject: Literal["skip", "fail"] = Field(
        description="a file that is no picture: skip (and list it) or fail"
    )
    on_conflict: Literal["fail", "skip"] = Field(
        default="fail",
        description="the same picture in both classes: fail (listing all) or skip (both left out)",
    )
    group: Annotated[
        str,
        BeforeValidator(lambda value: "" if value is None else value),
        AfterValidator(_names_groups),
    ] = Field(
        default="",
        description="pictures that belong together: '' (none), folder, or an expression as"
        r" '(clip\d+)_frame'",
        json_schema_extra={"type": ["string", "null"]},
    )
    near_duplicates: Literal["group", "ignore"] = Field(
        default="group",
        description="copies, mirrored ones too: group (they belong together) or ignore (a fixed"
        " camera's)",
    )
    split: Split = Field(
        description="fractions, class by class; those of 10 folds are 0.8, 0.1, 0.1"
    )
    mean: Annotated[Channels | Literal["train"], _channels(_Mean, _Means)] = Field(
        description="input = (pixel / 255 - mean) / std: one number, one per channel, or `train`"
        " (measured)"
    )
    std: Annotated[Channels | Literal["train"], _channels(_Std, _Stds)] = Field(
        description="as for mean: one number, one per channel, or `train` (measured)"
    )


def _or_null(schema: dict[str, Any]) -> None:
    schema["anyOf"].append({"type": "null"})


class Network(CheckedRecord):
    """One network: the widths of its hidden layers, none for logistic regression."""

    model_config = ConfigDict(json_schema_extra={"required": ["hidden"]})

    epochs: _Epochs = Field(
        description="if empty, the top-level value applies",
        json_schema_extra={"type": ["integer", "null"]},
    )
    lr: Annotated[float | tuple[float, ...], _lr()] = Field(
        description="if empty, the top-level value applies",
        json_schema_extra=_or_null,
    )
    init: _Init = Field(
        description="if empty, the top-level value applies",
        json_schema_extra={"type": ["string", "null"], "enum": ["torch", "he", None]},
    )
    hidden: Annotated[tuple[_Width, ...], Field(max_length=64), _as_tuple] = Field(
        description="widths of the ReLU layers"
    )

    @property
    def title(self) -> str:
        """Widths as in params.yaml; a network without hidden layers is logistic regression."""
        return str(list(self.hidden)) if self.hidden else "(logistic regression)"

    def parameters(self, inputs: int) -> int:
        """Number of weights and biases."""
        widths = (inputs, *self.hidden, 1)
        return sum((n_prev + 1) * n for n_prev, n in pairwise(widths))

    @property
    def lrs(self) -> tuple[float, ...] | None:
        """Learning rates of which each fold takes one, ascending; None if there is no choice."""
        return self.lr if isinstance(self.lr, tuple) else None


def _of_the_question(name: object) -> object:
    if name not in QUESTION:
        hint = "put further networks below `others`"
        raise ValueError(f"{shown(name)} is not one of {', '.join(QUESTION)}; {hint}")
    return name


def _further(name: object) -> object:
    if not (isinstance(name, str) and re.fullmatch(NAME, name)):
        allowed = "allowed are small letters, digits, - and _"
        raise ValueError(f"{shown(name)} is no name for a network; {allowed}")
    if name in TAKEN:
        raise ValueError(f"{shown(name)} is no name for a network; it is {TAKEN[name]}")
    return name


class Params(CheckedRecord):
    """All of params.yaml, checked."""

    seed: int = Field(
        ge=0,
        le=2**31,
        description="draws the folds, and with r and k the weights and batch order of run r of"
        " fold k",
    )
    folds: int = Field(
        ge=1,
        le=1_000,
        description="parts, each tested once on networks trained on others; 1: a single split, as"
        " in the article",
        json_schema_extra={"not": {"const": 2}},
    )
    runs: int = Field(ge=1, le=1_000, description="independent runs of each network on each fold")
    epochs: _Epochs = Field(description="passes over the training pictures")
    batch_size: int = Field(ge=1, le=1_000_000, description="pictures in a mini-batch")
    lr: Annotated[float | tuple[float, ...], _lr()] = Field(
        description="learning rate of mini-batch SGD; of a list, each fold takes one by validation"
    )
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0, description="of SGD, as torch.optim.SGD has it; 0: none"
    )
    nesterov: bool = Field(default=False, description="Nesterov's momentum; needs momentum")
    weight_decay: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="of SGD: share of each weight added to its gradient; 0: none"
    )
    init: _Init = Field(
        default="torch",
        description="initial weights: torch (as torch.nn.Linear) or he (for ReLU layers, biases 0)",
    )
    share: _Fraction = Field(
        default=1.0, description="fraction of each fold's training pictures to use, class by class"
    )
    keep: Literal["last", "best"] = Field(
        description="weights to keep: last (of the last epoch) or best (lowest validation loss, run"
        " by run)"
    )
    solver: Literal["auto", "primal", "dual"] = Field(
        description="primal (over pixels), dual (over the Gram matrix), or auto (whichever is"
        " faster)"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        description="cpu, cuda, or auto (cuda where there is one)"
    )
    alpha: Annotated[float, Field(gt=0, le=0.5)] = Field(
        description="1 - alpha is the confidence of every interval; a network is better only if"
        " p is below alpha",
    )
    equivalence_margin: Annotated[float, Field(ge=0, le=0.5)] = Field(
        description="equal: the whole interval of the difference lies within +- this",
    )
    data: Data
    models: Mapping[Annotated[str, BeforeValidator(_of_the_question)], Network] = Field(
        description="hidden: widths of the ReLU layers; epochs, lr, init: if empty, the"
        " top-level value applies",
        json_schema_extra={
            "required": list(QUESTION),
            "propertyNames": {"enum": list(QUESTION)},
        },
    )
    others: Mapping[Annotated[str, BeforeValidator(_further)], Network] = Field(
        default={},
        description="further networks, trained and reported beside the two of the question",
        json_schema_extra={
            "propertyNames": {"pattern": f"^{NAME}$", "not": {"enum": list(TAKEN)}},
        },
    )

    @property
    def networks(self) -> Mapping[str, Network]:
        """All networks by name: first the two of the question."""
        return {**self.models, **self.others}

    @model_validator(mode="after")
    def _split_fits(self) -> "Params":
        """Of k folds one is tested, one validates, and the others train."""
        if self.folds == 2:
            reason = "1 is a single split; 3 or more leave pictures to train on beside those to"
            raise ValueError(f"folds: 2 is not allowed: {reason} validate and to test on")
        given, needed = self.data.split, fractions(self.folds, self.data.split)
        names = list(Split.model_fields)
        if any(abs(getattr(given, name) - getattr(needed, name)) > 1e-9 for name in names):
            wanted = ", ".join(f"{name} {getattr(needed, name):.10g}" for name in names)
            raise ValueError(
                f"folds: {self.folds} needs data.split: {wanted}; other fractions need folds: 1"
            )
        return self

    @field_validator("models", "others", mode="before")
    @classmethod
    def _with_common(cls, networks: object, info: ValidationInfo) -> object:
        """Give the common values to each network that has none of its own."""
        if not isinstance(networks, dict):
            return networks
        valid = {"epochs": 1, "lr": 1.0, "init": "torch"}  # a wrong common value is reported once
        common = {key: info.data.get(key, value) for key, value in valid.items()}
        return {
            name: one | {key: value for key, value in common.items() if one.get(key) is None}
            if isinstance(one, dict)
            else one
            for name, one in networks.items()
        }

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> "Params":
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov: true needs momentum above 0, which is 0")
        return self

    @field_validator("models")
    @classmethod
    def _with_both(cls, models: Mapping[str, Network]) -> Mapping[str, Network]:
        for name in QUESTION:
            if name not in models:
                raise ValueError(f"the key {name} is missing")
        return models


def fractions(folds: int, single: Split) -> Split:
    """Shares of the pictures that each fold trains, validates and tests on."""
    if folds == 1:
        return single
    return Split(train=(folds - 2) / folds, validation=1 / folds, test=1 / folds)


def read(path: Path) -> Params:
    """Read and check a parameter file.

    Raises:
        InputError: no such file, not YAML, a key twice, unknown or missing, a value of the
            wrong type or out of range. The message names key, value and what is allowed.
    """
    return from_content(parse(path), str(path))


def from_content(content: object, name: str) -> Params:
    """Check the content of a parameter file, as `read` does; messages begin with `name`."""
    return checked(Params, content, name)


def schema() -> str:
    """Text of params.schema.json, with which editors check params.yaml."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | Params.model_json_schema(), indent=2)
