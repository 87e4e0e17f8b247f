"""Draw the embedded sample: cats and dogs, each in a pose, scale, coat and place of its own.

nothing -> FOLDER/cat/*.jpg, FOLDER/dog/*.jpg

A picture depends on the seed, its class and its number alone, and has the same bytes on every
machine: random numbers and shapes come from `canvas`, the JPEG encoder from the locked Pillow.
"""

import argparse
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from shallowdeep.datasets.animals import animal, draw_animal
from shallowdeep.datasets.canvas import Canvas, Dice, Floats
from shallowdeep.datasets.class_folders import CLASSES, is_to_make, new_class_folders
from shallowdeep.files.errors import InputError, one_line_errors
from shallowdeep.provenance.records import Run
from shallowdeep.provenance.stage import stage


def picture(seed: int, label: int, number: int) -> Image.Image:
    """Draw one picture.

    Args:
        seed: of the whole sample.
        label: 0 for a cat, 1 for a dog.
        number: within its class.
    """
    dice = Dice(seed, label, number)
    height, width = dice.number(140, 270), dice.number(140, 270)
    canvas = Canvas(np.empty((3, height, width), np.float32))
    draw_background(dice, canvas)
    head = canvas.placed(
        (width * dice.between(0.38, 0.62), height * dice.between(0.34, 0.48)),
        unit=min(width, height) * dice.between(0.18, 0.32),
        turn=dice.between(-0.12, 0.12),
        flip=dice.chance(0.5),
    )
    draw_animal(dice, head, animal(dice, is_cat=label == 0))
    draw_foreground(dice, canvas, head)
    return developed(dice, canvas)


def developed(dice: Dice, canvas: Canvas) -> Image.Image:
    """Add light, contrast and the grain of a camera; return 8-bit RGB."""
    height, width = canvas.pixels.shape[1:]
    across = np.arange(width, dtype=np.float32) * (dice.between(-0.3, 0.3) / width)
    down = np.arange(height, dtype=np.float32)[:, None] * (dice.between(-0.3, 0.3) / height)
    light = across + down + dice.between(0.85, 1.1)
    grain = np.float32(dice.between(0.02, 0.1))
    return Image.merge("RGB", [exposed(dice, plane, light, grain) for plane in canvas.pixels])


def exposed(dice: Dice, plane: Floats, light: Floats, grain: np.float32) -> Image.Image:
    """Expose one colour; return 8-bit grey levels."""
    noise = np.frombuffer(dice.generator.bytes(plane.size), np.int8).reshape(plane.shape)
    return Image.fromarray(np.clip(plane * light + noise * grain, 0, 255).astype(np.uint8))


def draw_background(dice: Dice, canvas: Canvas) -> None:
    """Draw a wall or sky above, a floor or meadow below, and some things."""
    height = canvas.pixels.shape[1]
    horizon = dice.number(height // 3, height)
    canvas.pixels[:, :horizon] = np.asarray(dice.colour(), np.float32)[:, None, None]
    canvas.pixels[:, horizon:] = np.asarray(dice.colour(), np.float32)[:, None, None]
    for _ in range(dice.number(0, 5)):
        draw_thing(dice, somewhere(dice, canvas), wide=dice.between(0.4, 1.6))


def draw_foreground(dice: Dice, canvas: Canvas, head: Canvas) -> None:
    """Draw a thing in every fourth picture; in every sixth one, cover the face of the animal."""
    if dice.chance(1 / 4):
        draw_thing(dice, somewhere(dice, canvas), wide=dice.between(0.4, 1.6))
    if dice.chance(1 / 6):
        before = head.placed((0, dice.between(-0.4, 0)), unit=1.6, turn=dice.between(-0.4, 0.4))
        draw_thing(dice, before, wide=dice.between(0.8, 1.6))


def somewhere(dice: Dice, canvas: Canvas) -> Canvas:
    """Draw a frame of random place, size and turn."""
    height, width = canvas.pixels.shape[1:]
    return canvas.placed(
        (width * dice.between(0, 1), height * dice.between(0, 1)),
        unit=min(width, height) * dice.between(0.05, 0.25),
        turn=dice.between(-0.4, 0.4),
    )


def draw_thing(dice: Dice, canvas: Canvas, *, wide: float) -> None:
    """Draw a cushion, a box or a roof: a random shape of a random colour."""
    colour, kind = dice.colour(), dice.number(0, 2)
    if kind == 0:
        canvas.ellipse((0, 0), (wide, 0.8), colour)
    elif kind == 1:
        canvas.polygon([(-wide, -0.7), (wide, -0.7), (wide, 0.7), (-wide, 0.7)], colour)
    else:
        canvas.polygon([(-wide, 0.8), (dice.between(-1, 1), -0.9), (wide, 0.8)], colour)


def draw_sample(folder: Path, *, seed: int, per_class: int) -> None:
    """Fill a new `folder` with `per_class` JPEG files of each class, completely or not at all."""
    with new_class_folders(folder) as new:
        for label, name in enumerate(CLASSES):
            for number in range(per_class):
                file = io.BytesIO()  # on a full disk, Pillow's own file ends early without an error
                picture(seed, label, number).save(file, "JPEG", quality=88)
                (new / name / f"{name}-{number:04}.jpg").write_bytes(file.getvalue())


def whole(option: str, low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers for argparse, which lets an InputError pass."""

    def read(text: str) -> int:
        if not (text.isdecimal() and len(text) <= 10 and low <= int(text) <= high):
            raise InputError(f"{option}: {text:.40} is not a whole number from {low} to {high}")
        return int(text)

    return read


@stage("sample")
def draw_into(run: Run, folder: Path, *, seed: int, per_class: int) -> None:
    """Draw the sample; a stage only if params.yaml names it."""
    if is_to_make(run, folder):
        draw_sample(folder, seed=seed, per_class=per_class)


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    options = argparse.ArgumentParser("shallowdeep sample", description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path, help="a new or an empty folder")
    options.add_argument(
        "--seed", type=whole("--seed", 0, 2**32 - 1), default=0, help="of the drawing (default: 0)"
    )
    options.add_argument(
        "--per-class",
        type=whole("--per-class", 1, 100_000),
        default=500,
        help="pictures of each class (default: 500)",
    )
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the sample into the folder named on the command line."""
    with one_line_errors("sample"):
        options = parser().parse_args(arguments)
    draw_into(options.folder, seed=options.seed, per_class=options.per_class)


if __name__ == "__main__":
    main()
