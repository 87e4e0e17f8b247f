"""Ask a trained model about pictures: python -m shallowdeep predict models/deep.pt PICTURE..."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from shallowdeep.commands.belonging import check_model
from shallowdeep.files.errors import one_line, told_in_one_line
from shallowdeep.pictures.decoding import decode, quiet
from shallowdeep.pictures.limits import Unusable
from shallowdeep.training import model
from shallowdeep.training.model import Model

DESCRIPTION = """Ask a trained model about pictures. Of each it prints the class that the runs' mean
probability favours, that probability, and +- its standard deviation over the runs."""
MAX_PIXELS = "refuse a picture of more than so many (default: %(default)s)"


class Prediction(NamedTuple):
    """What a model's runs say about one picture."""

    path: str
    label: str  # the class that the runs' mean probability favours
    probability: float  # of that class, mean over the runs
    std: float  # over the runs, 0 for a single one


def predict(trained: Model, path: Path, *, max_pixels: int) -> Prediction:
    """Decode, resize and normalise a picture as `prepare` does, and ask every run.

    Raises:
        Unusable: the file gives no picture.
    """
    pixels = decode(path, size=trained.size, max_pixels=max_pixels).pixels
    of_second = trained.probabilities(torch.from_numpy(pixels)[None], torch.tensor([0]))[:, 0]
    second = bool(of_second.mean() > 0.5)
    mean = float(of_second.mean() if second else 1 - of_second.mean())
    std = float(of_second.std()) if len(of_second) > 1 else 0.0
    return Prediction(str(path), trained.classes[second], round(mean, 6), round(std, 6))


def main(arguments: Sequence[str]) -> None:
    """Print a line for each picture; status 1 where a file gives none."""
    parser = argparse.ArgumentParser("shallowdeep predict", description=DESCRIPTION)
    parser.add_argument("model", type=Path, help="a model file, for example models/deep.pt")
    parser.add_argument("picture", type=Path, nargs="+", help="a file of any usual format")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--max-pixels", type=int, default=100_000_000, help=MAX_PIXELS)
    options = parser.parse_args(arguments)
    with told_in_one_line("predict"):
        check_model(options.model)
        trained = model.read(options.model)
        torch.set_num_threads(1)
        failures = 0
        for path in options.picture:
            try:
                with quiet():
                    prediction = predict(trained, path, max_pixels=options.max_pixels)
            except Unusable as reason:
                failures += 1
                if options.json:
                    print(json.dumps({"path": str(path), "error": str(reason)}))
                else:
                    print(f"{one_line(str(path))}: {reason}", file=sys.stderr)
            else:
                print(json.dumps(prediction._asdict()) if options.json else _line(prediction))
        if failures:
            sys.exit(1)


def _line(prediction: Prediction) -> str:
    path, label, probability, std = prediction
    return f"{one_line(path)}\t{one_line(label)}\t{probability:.3f} +- {std:.3f}"
