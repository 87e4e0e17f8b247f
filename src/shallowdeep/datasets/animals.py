"""Drawings of cats and dogs.

Ears, muzzle, eyes, whiskers, tail and build differ between the two, as they do in life. Coat, pose,
size, place and tilt follow the same distributions in both.
"""

from collections.abc import Iterable
from typing import NamedTuple

from shallowdeep.datasets.canvas import Canvas, Colour, Dice

COATS: tuple[Colour, ...] = (
    (222, 146, 72),  # ginger
    (150, 98, 60),  # brown
    (92, 66, 50),  # chocolate
    (52, 50, 54),  # black
    (138, 138, 144),  # grey
    (232, 226, 214),  # white
    (210, 178, 130),  # fawn
)
PINK: Colour = (228, 150, 150)
BLACK: Colour = (28, 24, 26)
WHITE: Colour = (246, 244, 240)


class Animal(NamedTuple):
    """Features of one animal."""

    is_cat: bool
    coat: Colour
    markings: Colour  # ears of dogs, stripes, spots
    light: Colour  # muzzle, chest, paws
    eyes: Colour
    pointed_ears: bool
    long_tail: bool
    build: float  # 1 is sturdy
    yaw: float  # -1 looks to the left, 1 to the right


def animal(dice: Dice, *, is_cat: bool) -> Animal:
    """Draw coat and features at random; some cats have folded ears, some dogs pricked ones."""
    coat = varied(dice, COATS[dice.number(0, len(COATS) - 1)], 18)
    other = varied(dice, COATS[dice.number(0, len(COATS) - 1)], 18)
    markings = other if dice.chance(0.3) else shaded(coat, dice.between(0.55, 0.85))
    light = shaded(coat, dice.between(1.05, 1.4)) if dice.chance(0.6) else WHITE
    cat_eyes = varied(dice, (150, 180, 70) if dice.chance(0.7) else (110, 170, 200), 20)
    dog_eyes = varied(dice, (70, 44, 28), 10)
    return Animal(
        is_cat=is_cat,
        coat=coat,
        markings=markings,
        light=light,
        eyes=cat_eyes if is_cat else dog_eyes,
        pointed_ears=dice.chance(0.92 if is_cat else 0.25),
        long_tail=dice.chance(0.8 if is_cat else 0.3),
        build=dice.between(0.75, 0.95) if is_cat else dice.between(0.85, 1.05),
        yaw=dice.between(-1, 1),
    )


def varied(dice: Dice, colour: Colour, by: float) -> Colour:
    """Vary a colour at random."""
    return clip_colour(channel + dice.between(-by, by) for channel in colour)


def shaded(colour: Colour, factor: float) -> Colour:
    """Darken (factor below 1) or lighten (above 1) a colour."""
    return clip_colour(channel * factor for channel in colour)


def clip_colour(channels: Iterable[float]) -> Colour:
    """Clip a colour to 0 to 255."""
    red, green, blue = (min(max(channel, 0.0), 255.0) for channel in channels)
    return red, green, blue


def draw_animal(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw body and head; a unit is half the width of the head, the origin its centre."""
    pose = dice.number(0, 2)
    (draw_sitting, draw_standing, draw_lying)[pose](dice, canvas, it)
    head = canvas.placed((0, 0), unit=1.0, turn=dice.between(-0.22, 0.22))
    draw_head(dice, head, it)


def draw_tail(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw a tail at the origin: long, thin and curled, or short, thick and raised."""
    if it.long_tail:
        bend, end = (dice.between(1.2, 2.2), dice.between(0, 0.8)), (dice.between(0.6, 1.6), -2.0)
        canvas.curve(((0, 0), bend, end), 0.3, it.coat)
        canvas.ellipse(end, (0.16, 0.16), it.markings)
    else:
        bend = (dice.between(0.5, 0.9), 0.0)
        end = (dice.between(0.6, 1.2), dice.between(-1.3, -0.5))
        canvas.curve(((0, 0), bend, end), 0.45, it.coat)


def draw_sitting(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw the body of a sitting animal, from the front."""
    draw_tail(dice, canvas.placed((0.7, 3.0), unit=1.0), it)
    canvas.ellipse((0, 2.1), (1.05 * it.build, 1.5), it.coat)
    canvas.ellipse((0, 1.8), (0.55 * it.build, 1.0), it.light)
    for side in (-1, 1):
        canvas.ellipse((side * 0.85 * it.build, 3.1), (0.5, 0.6), shaded(it.coat, 0.92))
        canvas.ellipse((side * 0.36, 2.7), (0.24, 0.95), shaded(it.coat, 1.06))
        canvas.ellipse((side * 0.4, 3.6), (0.32, 0.2), it.light)


def draw_standing(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw the body of a standing animal, from the side."""
    draw_tail(dice, canvas.placed((3.2, 0.8), unit=1.0), it)
    for x, shade in ((0.9, 0.8), (2.9, 0.8), (0.5, 1.0), (2.6, 1.0)):
        canvas.ellipse((x, 2.2), (0.24, 1.0), shaded(it.coat, shade))
        canvas.ellipse((x - 0.1, 3.1), (0.3, 0.17), it.light)
    canvas.ellipse((1.7, 1.1), (1.8, 0.88 * it.build), it.coat)
    draw_spots(dice, canvas.placed((1.7, 1.0), unit=1.0), it)


def draw_lying(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw the body of a lying animal, paws in front."""
    draw_tail(dice, canvas.placed((2.6, 1.4), unit=1.0), it)
    canvas.ellipse((1.4, 1.1), (1.7, 1.06 * it.build), it.coat)
    draw_spots(dice, canvas.placed((1.6, 0.9), unit=1.0), it)
    for x in (-0.5, 0.3):
        canvas.ellipse((x, 1.75), (0.6, 0.22), it.light)


def draw_spots(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw patches or stripes on the flank."""
    kind = dice.number(0, 2)
    if kind == 0:
        for x in (-0.6, 0.0, 0.6):
            canvas.ellipse((x, -0.2), (0.09, 0.5), it.markings, turn=dice.between(-0.1, 0.1))
    elif kind == 1:
        for _ in range(dice.number(1, 3)):
            at = (dice.between(-0.9, 0.9), dice.between(-0.4, 0.2))
            canvas.ellipse(at, (dice.between(0.2, 0.5), dice.between(0.2, 0.35)), it.markings)


def draw_head(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw ears, skull and face; the face moves aside with the yaw."""
    if it.pointed_ears:
        draw_pointed_ears(dice, canvas, it)
    canvas.ellipse((0, 0), (1.0, 0.85) if it.is_cat else (0.88, 0.98), it.coat)
    if not it.pointed_ears:
        draw_floppy_ears(dice, canvas, it)
    face = canvas.placed((it.yaw * 0.28, 0), unit=1.0)
    draw_face = draw_cat_face if it.is_cat else draw_dog_face
    draw_face(dice, face, it)


def draw_pointed_ears(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw pointed ears, pink inside."""
    tip = dice.between(1.25, 1.6)
    for side in (-1, 1):
        outer = [(side * 0.95, -0.2), (side * 0.8, -tip), (side * 0.15, -0.7)]
        inner = [(side * 0.8, -0.4), (side * 0.74, -tip + 0.25), (side * 0.32, -0.7)]
        canvas.polygon(outer, it.coat)
        canvas.polygon(inner, PINK)


def draw_floppy_ears(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw ears at the sides of the head; a cat's folded ears are small."""
    size = 0.5 if it.is_cat else dice.between(0.8, 1.2)
    for side in (-1, 1):
        at = (side * 0.86, -0.62 + 0.5 * size)
        canvas.ellipse(at, (0.32 * size, 0.75 * size), it.markings, turn=side * -0.1)


def draw_cat_face(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw big eyes with slits, a small pink nose, whiskers."""
    if dice.chance(0.5):
        for x in (-0.22, 0.0, 0.22):
            canvas.ellipse((x, -0.6), (0.05, 0.2), it.markings)
    slit = dice.between(0.04, 0.14)
    for side in (-1, 1):
        canvas.ellipse((side * 0.42, -0.1), (0.25, 0.22), it.eyes)
        canvas.ellipse((side * 0.42, -0.1), (slit, 0.2), BLACK)
        canvas.ellipse((side * 0.42 - 0.06, -0.17), (0.05, 0.05), WHITE)
        canvas.ellipse((side * 0.16, 0.38), (0.24, 0.18), it.light)
    canvas.polygon([(-0.11, 0.2), (0.11, 0.2), (0, 0.33)], PINK)
    for side in (-1, 1):
        for rise in (-0.12, 0.05, 0.2):
            start, end = (side * 0.3, 0.36), (side * 1.15, 0.36 + rise)
            canvas.polygon([start, end, (end[0], end[1] + 0.03)], WHITE)


def draw_dog_face(dice: Dice, canvas: Canvas, it: Animal) -> None:
    """Draw a long light muzzle with a black nose, small eyes, sometimes a tongue."""
    if dice.chance(0.35):
        canvas.ellipse((0.38, -0.2), (0.32, 0.36), it.markings)
    if dice.chance(0.4):
        canvas.ellipse((0.05, 0.95), (0.16, 0.3), (222, 110, 120))
    canvas.ellipse((0, 0.5), (0.5, 0.46), it.light)
    for side in (-1, 1):
        canvas.ellipse((side * 0.36, -0.18), (0.14, 0.15), it.eyes)
        canvas.ellipse((side * 0.36, -0.18), (0.08, 0.09), BLACK)
        canvas.ellipse((side * 0.36 - 0.04, -0.23), (0.04, 0.04), WHITE)
        canvas.curve(((0, 0.5), (side * 0.05, 0.78), (side * 0.28, 0.72)), 0.05, BLACK)
    canvas.ellipse((0, 0.32), (0.22, 0.16), BLACK)
