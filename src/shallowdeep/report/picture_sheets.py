"""Pictures in the results: weights of the first layer, and pictures predicted most wrongly.

They are JPEG: libjpeg-turbo gives the same bytes on every processor, PNG's compressors do not.
"""

import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from shallowdeep.evaluation.split_predictions import SplitPredictions
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

    The weights are those of each model's first run and first layer [h, 3, S, S].
    """
    return Pictures(
        {name: examples(prepared, label) for label, name in enumerate(prepared.classes)},
        {name: first_layer(layer) for name, layer in weights.items()},
        {name: most_wrong(test, name, prepared) for name in test.probabilities},
    )


def first_layer(weights: NDArray[np.float32]) -> list[Tile]:
    """The weights of a first layer [h, 3, S, S], one tile per neuron.

    Grey is 0; the largest weight of the layer, either way, is the end of the scale in its channel.
    """
    largest = float(np.abs(weights).max()) or 1.0
    pixels = np.rint(127.5 + 127.5 * weights / largest).astype(np.uint8)
    return [Tile(each, f"neuron {number}") for number, each in enumerate(pixels, start=1)]


def most_wrong(test: SplitPredictions, model: str, prepared: Prepared) -> list[Tile]:
    """At most COUNT pictures with the highest probability of the wrong class, mean of the runs."""
    labels, mean = test.design.labels, test.probabilities[model].mean(0)
    wrong = np.where(labels == 1, 1 - mean, mean)  # probability of the wrong class
    worst = np.argsort(-wrong, kind="stable")[:COUNT]
    return [
        Tile(
            prepared.pictures[test.rows[i]],
            f"{prepared.classes[labels[i]]}, called "
            f"{prepared.classes[1 - labels[i]]}: {100 * wrong[i]:.0f} %",
        )
        for i in worst
        if wrong[i] > 0.5
    ]


def examples(prepared: Prepared, label: int) -> list[Tile]:
    """At most COUNT training pictures of one class, evenly from the first to the last."""
    rows = prepared.rows("train")
    rows = rows[prepared.labels[rows] == label]
    chosen = np.linspace(0, len(rows) - 1, min(COUNT, len(rows))).round().astype(int)
    return [
        Tile(prepared.pictures[row], one_line(prepared.manifest["path"][row]))
        for row in rows[chosen]
    ]


def jpeg(pixels: Pixels) -> bytes:
    """A picture as a JPEG file."""
    return _encoded(_image(pixels), quality=85)


def sheet(rows: Mapping[str, Sequence[Tile]]) -> bytes:
    """Rows of tiles, by their titles, as one JPEG file."""
    columns = max(1, *(len(tiles) for tiles in rows.values()))
    height = 2 * LINE + SIDE + LINE + MARGIN  # of a row: its title, its tiles, their captions
    size = (MARGIN + columns * (SIDE + MARGIN), MARGIN + height * len(rows))
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for number, (title, tiles) in enumerate(rows.items()):
        top = MARGIN + number * height
        draw.text((MARGIN, top), title, "black", ImageFont.load_default(15))
        for column, tile in enumerate(tiles):
            left = MARGIN + column * (SIDE + MARGIN)
            shown = _image(tile.pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
            image.paste(shown, (left, top + 26))
            font = ImageFont.load_default(10)
            caption = tile.caption
            while font.getlength(caption) > SIDE:
                caption = caption[:-2] + "…"
            draw.text((left, top + 26 + SIDE + 2), caption, "black", font)
    return _encoded(image, quality=90)


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def _encoded(image: Image.Image, *, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()
