"""Pictures in the results: weights of the first layer, and pictures predicted most wrongly.

They are JPEG: libjpeg-turbo gives the same bytes on every processor, PNG's compressors do not.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from shallowdeep.evaluation.split_predictions import SplitPredictions
from shallowdeep.files.atomic import replacing
from shallowdeep.files.errors import one_line
from shallowdeep.prepared.prepared_set import Prepared

Pixels = NDArray[np.uint8]  # [3, S, S]

SIDE = 128  # pixels of a tile on a sheet
MARGIN, LINE = 8, 18  # pixels
COUNT = 8  # pictures that a row shows at most


class Tile(NamedTuple):
    """One picture and its caption."""

    pixels: Pixels
    caption: str


class Pictures(NamedTuple):
    """The pictures of the report."""

    examples: Mapping[str, Sequence[Tile]]  # by class
    first_layer: Mapping[str, Sequence[Tile]]  # by model
    most_wrong: Mapping[str, Sequence[Tile]]  # by model


def chosen(
    weights: Mapping[str, NDArray[np.float32]], prepared: Prepared, test: SplitPredictions
) -> Pictures:
    """Training pictures of each class, weights of each model, its most wrong predictions.

    Args:
        weights: by model, of its first run's first layer [h, 3 S S].
        prepared: the pictures.
        test: predictions for the tested pictures.
    """
    return Pictures(
        examples={
            name: examples(prepared, label, count=COUNT)
            for label, name in enumerate(prepared.classes)
        },
        first_layer={
            name: first_layer(one.reshape(-1, *prepared.pictures.shape[1:]))
            for name, one in weights.items()
        },
        most_wrong={
            name: most_wrong(test, probabilities, prepared, count=COUNT)
            for name, probabilities in test.probabilities.items()
        },
    )


def first_layer(weights: NDArray[np.float32]) -> list[Tile]:
    """The weights of a first layer [h, 3, S, S], a tile a neuron.

    Grey is 0; the largest weight of the layer, either way, is the end of the scale in its channel.
    """
    largest = float(np.abs(weights).max()) or 1.0
    pixels = np.rint(127.5 + 127.5 * weights / largest).astype(np.uint8)
    return [Tile(each, f"neuron {number}") for number, each in enumerate(pixels, start=1)]


def most_wrong(
    test: SplitPredictions, probabilities: NDArray[np.float64], prepared: Prepared, *, count: int
) -> list[Tile]:
    """The pictures with the highest probability of the wrong class, as the mean of the runs.

    Args:
        test: the pictures.
        probabilities: of class 1, by one model [R, n].
        prepared: the same, prepared.
        count: the most to return; fewer if fewer are wrong.
    """
    mean = probabilities.mean(0)
    wrong = np.where(test.labels == 1, 1 - mean, mean)  # probability of the wrong class
    worst = np.argsort(-wrong, kind="stable")[:count]
    return [
        Tile(
            prepared.pictures[test.rows[i]],
            f"{prepared.classes[test.labels[i]]}, called "
            f"{prepared.classes[1 - test.labels[i]]}: {100 * wrong[i]:.0f} %",
        )
        for i in worst
        if wrong[i] > 0.5
    ]


def examples(prepared: Prepared, label: int, *, count: int) -> list[Tile]:
    """Training pictures of one class, evenly from the first to the last."""
    rows = prepared.rows("train")
    rows = rows[prepared.labels[rows] == label]
    chosen = np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)
    return [
        Tile(prepared.pictures[row], one_line(prepared.manifest["path"][row]))
        for row in rows[chosen]
    ]


def jpeg(pixels: Pixels) -> bytes:
    """A picture as a JPEG file."""
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))).save(file, "JPEG", quality=85)
    return file.getvalue()


def write(rows: Mapping[str, Sequence[Tile]], path: Path) -> None:
    """Write rows of tiles, by their titles, as one picture."""
    columns = max(1, *(len(tiles) for tiles in rows.values()))
    height = 2 * LINE + SIDE + LINE + MARGIN  # of a row: its title, its tiles, their captions
    size = (MARGIN + columns * (SIDE + MARGIN), MARGIN + height * len(rows))
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for number, (title, tiles) in enumerate(rows.items()):
        top = MARGIN + number * height
        draw.text((MARGIN, top), title, "black", ImageFont.load_default(15))
        for column, tile in enumerate(tiles):
            left = MARGIN + column * (SIDE + MARGIN)
            image = Image.fromarray(np.ascontiguousarray(tile.pixels.transpose(1, 2, 0)))
            sheet.paste(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR), (left, top + 26))
            font = ImageFont.load_default(10)
            caption = tile.caption
            while font.getlength(caption) > SIDE:
                caption = caption[:-2] + "…"
            draw.text((left, top + 26 + SIDE + 2), caption, "black", font)
    with replacing(path) as new:
        sheet.save(new, "JPEG", quality=90)
