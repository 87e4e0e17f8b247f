"""params.yaml: read it, check every value before any work, hand it on as frozen records."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from shallowdeep.files.errors import InputError
from shallowdeep.settings.checked_yaml import (
    Section,
    integer,
    list_of,
    nothing_or,
    number,
    one_of,
    parse,
    shown,
    text,
    unquoted,
)

Channels = tuple[float, float, float]  # one number for each of red, green, blue


@dataclass(frozen=True)
class Split:
    """Fractions of the pictures; they add up to 1."""

    train: float
    validation: float
    test: float


@dataclass(frozen=True)
class Data:
    """Where the pictures are and how they become numbers."""

    dir: str
    size: int  # pixels along each side of a prepared picture
    max_pixels: int
    on_reject: Literal["skip", "fail"]
    split: Split
    mean: Channels | Literal["train"]  # of pixel / 255
    std: Channels | Literal["train"]


@dataclass(frozen=True)
class Model:
    """One network: the widths of its hidden layers, none for logistic regression."""

    hidden: tuple[int, ...]
    epochs: int


@dataclass(frozen=True)
class Params:
    """All of params.yaml, checked."""

    seed: int
    runs: int
    batch_size: int
    lr: float
    keep: Literal["last", "best"]
    solver: Literal["auto", "primal", "dual"]
    device: Literal["auto", "cpu", "cuda"]
    alpha: float
    threads: int
    data: Data
    models: Mapping[str, Model]


def read(path: Path) -> Params:
    """Read and check a parameter file.

    Raises:
        InputError: no such file, not YAML, a key twice, unknown or missing, a value of the
            wrong type or out of range. The message names key, value and what is allowed.
    """
    return _params(Section(str(path), parse(path)))


def _params(top: Section) -> Params:
    epochs = top.read("epochs", integer(1, 1_000_000))
    params = Params(
        seed=top.read("seed", integer(0, 2**31)),
        runs=top.read("runs", integer(1, 1_000)),
        batch_size=top.read("batch_size", integer(1, 1_000_000)),
        lr=top.read("lr", number(0, 1_000, low_allowed=False)),
        keep=cast(Any, top.read("keep", one_of("last", "best"))),
        solver=cast(Any, top.read("solver", one_of("auto", "primal", "dual"))),
        device=cast(Any, top.read("device", one_of("auto", "cpu", "cuda"))),
        alpha=top.read("alpha", number(0, 0.5, low_allowed=False)),
        threads=top.read("threads", integer(1, 1_024)),
        data=_data(top.section("data")),
        models=_models(top.section("models"), epochs),
    )
    top.finish()
    return params


def _data(section: Section) -> Data:
    data = Data(
        dir=section.read("dir", text),
        size=section.read("size", integer(1, 1_024)),
        max_pixels=section.read("max_pixels", integer(1, 2**31)),
        on_reject=cast(Any, section.read("on_reject", one_of("skip", "fail"))),
        split=_split(section.section("split")),
        mean=section.read("mean", _channels(low_allowed=True)),
        std=section.read("std", _channels(low_allowed=False)),
    )
    section.finish()
    return data


def _split(section: Section) -> Split:
    fraction = number(0, 1, low_allowed=False)
    split = Split(
        train=section.read("train", fraction),
        validation=section.read("validation", fraction),
        test=section.read("test", fraction),
    )
    section.finish()
    total = split.train + split.validation + split.test
    if not math.isclose(total, 1, abs_tol=1e-9):
        raise InputError(f"{section.name}: the fractions add up to {total:g}, not to 1")
    return split


def _models(section: Section, epochs: int) -> dict[str, Model]:
    for name in section.names():
        if not (isinstance(name, str) and re.fullmatch("[a-z0-9][a-z0-9_-]*", name)):
            raise InputError(
                f"{section.name}: {shown(name)} is no name for a model; "
                "allowed are small letters, digits, - and _"
            )
    for needed in ("shallow", "deep"):
        section.value(needed)
    return {str(name): _model(section.section(str(name)), epochs) for name in section.names()}


def _model(section: Section, epochs: int) -> Model:
    own_epochs = section.read("epochs", nothing_or(integer(1, 1_000_000)))
    hidden = section.read("hidden", list_of(integer(1, 4_096), longest=64))
    section.finish()
    return Model(hidden=tuple(hidden), epochs=own_epochs or epochs)


def _channels(*, low_allowed: bool) -> Callable[[str, object], Channels | Literal["train"]]:
    one_number = number(0, 1, low_allowed=low_allowed)

    def check(name: str, value: object) -> Channels | Literal["train"]:
        if value == "train":
            return "train"
        if isinstance(value, list):
            numbers = list_of(one_number, longest=3)(name, value)
            if len(numbers) != 3:
                raise InputError(f"{name}: {len(numbers)} numbers; 3 are needed, one per channel")
            return (numbers[0], numbers[1], numbers[2])
        if isinstance(value, str):
            raise InputError(
                f"{name}: {shown(value)} is not a number, a list of 3 or `train`{unquoted(value)}"
            )
        one = one_number(name, value)
        return (one, one, one)

    return check
