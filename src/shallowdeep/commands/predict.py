"""Ask a trained model about pictures: python -m shallowdeep predict models/deep PICTURE..."""

import argparse
import hashlib
import itertools
import json
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from shallowdeep.commands.known import NOTHING
from shallowdeep.commands.stale import check_model
from shallowdeep.files.errors import InputError, one_line
from shallowdeep.files.file_tree import walk
from shallowdeep.pictures.decoding import Picture, decode, quiet
from shallowdeep.pictures.layout import is_aside
from shallowdeep.pictures.limits import Unusable
from shallowdeep.pictures.worker_pool import ordered_map
from shallowdeep.trained import model
from shallowdeep.trained.model import Model

if TYPE_CHECKING:
    from torch import Tensor

DESCRIPTION = """Predict the class of pictures. Prints for each the class, its mean probability over
the runs, +- the standard deviation over them, and "trained on" or "validated on" if the project
knows that the picture was used so."""
PICTURE = """a file of any usual format; a folder, with all that lies below it; or - for a list on
standard input, a path a line, or with NUL between paths as `find -print0` writes it"""
MODEL = "a model, for example models/deep, or its weights.safetensors"
MAX_PIXELS = "reject pictures of more pixels than this (default: %(default)s)"
TOGETHER = 32  # pictures in a batch


class Prediction(NamedTuple):
    """The class that a model gives to one picture."""

    path: str
    label: str  # the class that the runs' mean probability favours
    probability: float  # of that class, mean over the runs
    std: float  # over the runs, 0 for a single one
    note: str  # "trained on" or "validated on", if the model was; empty if not, or not known


def predict(
    trained: Model,
    paths: Sequence[str],
    *,
    max_pixels: int,
    notes: Mapping[str, str] = NOTHING.pictures,
) -> Generator[Prediction | Unusable, None, None]:
    """Decode, resize and normalise pictures as `prepare` does, on all cores, and ask every run.

    Args:
        trained: the model.
        paths: of the files.
        max_pixels: a larger picture is refused unread.
        notes: by the hash of prepared pixels.

    Yields:
        For each path, in order, a prediction, or why the file gives no picture.

    Raises:
        OverflowError: as `probabilities`.
    """
    work = partial(_decoded, size=trained.size, max_pixels=max_pixels)
    with threadpool_limits(1, "blas"), closing(ordered_map(work, paths)) as outcomes:
        for start in range(0, len(paths), TOGETHER):
            several = list(itertools.islice(outcomes, TOGETHER))
            pictures = [one.pixels for one in several if isinstance(one, Picture)]
            found = iter(probabilities(trained, np.stack(pictures)).mT if pictures else ())
            for path, one in zip(paths[start : start + TOGETHER], several, strict=True):
                if isinstance(one, Unusable):
                    yield one
                    continue
                by_run = next(found)  # of the second class
                second = bool(by_run.mean() > 0.5)
                mean = float(by_run.mean() if second else 1 - by_run.mean())
                std = float(by_run.std()) if len(by_run) > 1 else 0.0
                note = notes.get(hashlib.sha256(one.pixels.data).hexdigest(), "") if notes else ""
                yield Prediction(path, trained.classes[second], round(mean, 6), round(std, 6), note)


def _decoded(path: str, *, size: int, max_pixels: int) -> Picture | Unusable:
    try:
        return decode(path, size=size, max_pixels=max_pixels)
    except Unusable as reason:
        return reason


def probabilities(trained: Model, pictures: NDArray[np.uint8]) -> "Tensor":
    """Probability of the second class by each run.

    Args:
        trained: the model.
        pictures: uint8 [m, 3, S, S].

    Returns:
        float32 [R, m].

    Raises:
        OverflowError: one is not finite.
    """
    import torch

    from shallowdeep.training.network import probability, product
    from shallowdeep.training.propagation import linear_forward, relu

    pixels = torch.from_numpy(pictures)
    X = trained.normalisation.apply(pixels, out=pixels.float()).flatten(1)
    (weight, bias), *upper = (map(torch.from_numpy, layer) for layer in trained.layers)
    Z = product(weight.flatten(0, 1), X.T).view(*weight.shape[:2], -1) + bias[..., None]
    for weight, bias in upper:
        Z = linear_forward(relu(Z), weight, bias[..., None])
    found = probability(Z[:, 0])
    if not found.isfinite().all():
        raise OverflowError("a probability is not finite: its weights leave the range of float32")
    return found


def files_of(asked: Sequence[str]) -> list[str]:
    """Files that paths, folders and `-` name, in that order.

    A folder's are sorted as bytes, without hidden ones and what systems keep beside pictures.

    Raises:
        InputError: a folder or standard input names none, or a folder cannot be read.
    """
    found = []
    for name in asked:
        paths = [name]
        if name == "-":
            text = sys.stdin.buffer.read()
            listed = text.split(b"\0") if b"\0" in text else text.splitlines()
            paths = [os.fsdecode(path) for path in listed if path]
            if not paths:
                raise InputError("standard input: names no picture; it takes a path a line")
        elif Path(name).is_dir():
            below = [entry.path for entry in walk(Path(name))]
            seen = [path for path in below if not any(map(is_aside, path.split("/")))]
            paths = [str(Path(name, path)) for path in sorted(seen, key=os.fsencode)]
            if not paths:
                raise InputError(f"{name}: there is no file in this folder")
        found += paths
    return found


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    options = argparse.ArgumentParser("shallowdeep predict", description=DESCRIPTION)
    options.add_argument("model", type=Path, help=MODEL)
    options.add_argument("picture", nargs="+", help=PICTURE)
    options.add_argument("--json", action="store_true", help="one JSON object a line")
    options.add_argument("--max-pixels", type=int, default=100_000_000, help=MAX_PIXELS)
    return options


def main(arguments: Sequence[str]) -> None:
    """Print a line for each picture; status 1 where a file gives none."""
    options = parser().parse_args(arguments)
    file = model.weights_file(options.model)
    trained = model.read(file)
    known = check_model(file)
    paths = files_of(options.picture)
    failures = 0
    found = predict(trained, paths, max_pixels=options.max_pixels, notes=known.pictures)
    hidden = True if sys.stdout.isatty() else None  # the predictions go there
    try:
        with quiet() as stderr, closing(found):
            bar = partial(tqdm, file=stderr, disable=hidden, leave=False, unit=" pictures")
            shown = bar(found, "predict", len(paths))
            for path, one in zip(paths, shown, strict=True):
                failures += isinstance(one, Unusable)
                _print(path, one, stderr, as_json=options.json)
    except OverflowError as error:
        raise InputError(f"{file}: {error}") from None
    if known.accuracy:
        print(f"predict: {known.accuracy}", file=sys.stderr)
    if failures:
        sys.exit(1)


def _print(path: str, one: Prediction | Unusable, stderr: TextIO, *, as_json: bool) -> None:
    if as_json:
        error = {"path": path, "error": str(one)}
        print(json.dumps(error if isinstance(one, Unusable) else one._asdict()))
    elif isinstance(one, Unusable):
        tqdm.write(f"{one_line(path)}: {one}", file=stderr)
    else:
        probability = f"{one.probability:.3f} +- {one.std:.3f}"
        note = f"\t{one.note}" if one.note else ""
        print(f"{one_line(path)}\t{one_line(one.label)}\t{probability}{note}")
