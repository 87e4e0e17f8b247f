"""Shapes: where they lie, how they are covered, that their bits are always the same."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shallowdeep.datasets.canvas import Canvas, Dice

SIDE = 60
WHITE = (255.0, 255.0, 255.0)


def black() -> Canvas:
    """A canvas on which white covers exactly its share."""
    return Canvas(np.zeros((3, SIDE, SIDE), np.float32))


def covered(canvas: Canvas) -> float:
    """Area that is covered with white, in pixels."""
    return float(canvas.pixels[0].sum(dtype=np.float64)) / 255


def centre(canvas: Canvas) -> tuple[float, float]:
    """Centre of what is covered, in pixels."""
    share = canvas.pixels[0].astype(np.float64) / canvas.pixels[0].sum(dtype=np.float64)
    middle = np.arange(SIDE) + 0.5
    return float((share.sum(axis=0) * middle).sum()), float((share.sum(axis=1) * middle).sum())


@given(a=st.floats(4, 12), b=st.floats(4, 12), turn=st.floats(-1, 1))
def test_an_ellipse_covers_its_area_around_its_centre(a: float, b: float, turn: float) -> None:
    """Pi a b pixels to within its soft edge, whichever way it is turned."""
    canvas = black()
    canvas.ellipse((30.3, 29.8), (a, b), WHITE, turn=turn)
    assert covered(canvas) == pytest.approx(math.pi * a * b, rel=0.06)
    assert centre(canvas) == pytest.approx((30.3, 29.8), abs=0.05)


@given(x=st.floats(8, 30), y=st.floats(8, 30))
def test_a_polygon_covers_its_area_whichever_way_round_it_is_given(x: float, y: float) -> None:
    """A triangle's half of base times height, clockwise and counter-clockwise alike."""
    corners, one, other = [(10.0, 10.0), (10.0 + x, 14.0), (12.0, 14.0 + y)], black(), black()
    one.polygon(corners, WHITE)
    other.polygon(corners[::-1], WHITE)
    assert covered(one) == pytest.approx(abs(x * (4 + y) - 4 * 2) / 2, rel=0.08)
    np.testing.assert_allclose(one.pixels, other.pixels, atol=0.01)


@pytest.mark.parametrize(
    ("turn", "flip", "expected"),
    [
        (0.0, False, (38, 30)),
        (0.0, True, (22, 30)),
        (1.0, False, (30, 38)),  # the tangent of 45 degrees: a quarter turn, clockwise
        (-1.0, False, (30, 22)),
    ],
)
def test_a_frame_moves_scales_turns_and_flips(turn, flip, expected):
    """What lies at (2, 0) in a frame of unit 4 lies 8 pixels from its origin, on the right side."""
    canvas = black()
    canvas.placed((30, 30), unit=4, turn=turn, flip=flip).ellipse((2, 0), (1, 1), WHITE)
    assert centre(canvas) == pytest.approx(expected, abs=0.01)


def test_the_bits_are_the_same_everywhere() -> None:
    """Random shapes, all kinds, hash to what they hashed to when this was written."""
    dice, canvas = Dice(1, 2, 3), black()
    for _ in range(50):
        place, unit = (dice.between(0, SIDE), dice.between(0, SIDE)), dice.between(1, 9)
        turn, flip = dice.between(-2, 2), dice.chance(0.5)
        frame = canvas.placed(place, unit=unit, turn=turn, flip=flip)
        frame.ellipse((1, 0), (dice.between(0.1, 2), 1), dice.colour(), turn=0.3)
        frame.polygon([(0, 0), (dice.between(1, 2), 0.3), (1, 2)], dice.colour())
        frame.curve(((0, 0), (2, dice.number(0, 3)), (1, 3)), 0.4, dice.colour())
    digest = hashlib.sha256(canvas.pixels.astype("<f4").tobytes()).hexdigest()
    assert digest == "201a9463f74ae363d59be67ce9a05300fcbf09b02c74517957cbb804c2259441"
