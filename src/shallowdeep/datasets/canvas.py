"""Antialiased shapes with the same bits on every machine.

They use + - * / and square roots only, one NumPy call each: IEEE 754 rounds these alike everywhere.
Sines, sums and compiled formulas (a * b + c may become one instruction) differ between machines,
and so do Pillow's polygons.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]  # x to the right, y down
Colour = tuple[float, float, float]  # red, green, blue, 0 to 255
Floats = npt.NDArray[np.float32]

_PIECES = 8  # straight pieces of a curve


class _Patch(NamedTuple):
    """Part of a picture that a shape can touch."""

    pixels: Floats  # [3, h, w], a view
    x: Floats  # [1, w], in pixels
    y: Floats  # [h, 1], in pixels


class Dice:
    """Random numbers with the same bits on every machine."""

    def __init__(self, *key: int) -> None:
        self.generator = np.random.Generator(np.random.PCG64(key))

    def between(self, low: float, high: float) -> float:
        """Number from `low` to `high` (Generator.uniform is compiled to one rounding or two)."""
        return low + (high - low) * self.generator.random()

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.generator.random() < probability)

    def number(self, low: int, high: int) -> int:
        """Whole number from `low` to `high`, both included."""
        return int(self.generator.integers(low, high + 1))

    def colour(self) -> Colour:
        """Muted colour: any, mixed half with a grey."""
        grey = self.between(30, 115)
        red, green, blue = (grey + self.between(20, 130) for _ in range(3))
        return red, green, blue


@dataclass(frozen=True)
class Canvas:
    """Picture with a frame of reference for its shapes."""

    pixels: Floats  # [3, height, width], 0 to 255
    origin: Point = (0.0, 0.0)  # where x = y = 0 lies, in pixels
    right: Point = (1.0, 0.0)  # one unit of x, in pixels
    down: Point = (0.0, 1.0)  # one unit of y, in pixels

    def placed(self, at: Point, *, unit: float, turn: float = 0.0, flip: bool = False) -> "Canvas":
        """Return the same picture with another frame.

        Args:
            at: origin of the new frame, in this frame.
            unit: of the new frame, in this frame.
            turn: tangent of half the angle of a clockwise turn of the new frame.
            flip: True if the new x points to the left.
        """
        cos, sin = _cos_sin(turn)
        side = -unit if flip else unit
        return Canvas(
            self.pixels,
            origin=self._point(at),
            right=self._vector((side * cos, side * sin)),
            down=self._vector((-unit * sin, unit * cos)),
        )

    def ellipse(self, at: Point, radii: Point, colour: Colour, *, turn: float = 0.0) -> None:
        """Fill an ellipse.

        Args:
            at: centre.
            radii: half the width and half the height.
            colour: of the pixels inside; in part at the edge.
            turn: tangent of half the angle of a clockwise turn.
        """
        cos, sin = _cos_sin(turn)
        centre = self._point(at)
        u = self._vector((radii[0] * cos, radii[0] * sin))
        v = self._vector((-radii[1] * sin, radii[1] * cos))
        reach = (abs(u[0]) + abs(v[0]), abs(u[1]) + abs(v[1]))
        patch = self._patch([centre], reach)
        area = u[0] * v[1] - u[1] * v[0]
        x, y = patch.x - centre[0], patch.y - centre[1]
        along = x * (v[1] / area) - y * (v[0] / area)
        across = y * (u[0] / area) - x * (u[1] / area)
        radius = np.sqrt(along * along + across * across)
        narrow = math.sqrt(min(u[0] * u[0] + u[1] * u[1], v[0] * v[0] + v[1] * v[1]))
        _blend(patch.pixels, (1.0 - radius) * narrow, colour)

    def polygon(self, corners: Sequence[Point], colour: Colour) -> None:
        """Fill a convex polygon with corners in either order."""
        points = [self._point(corner) for corner in corners]
        patch = self._patch(points, (0.0, 0.0))
        (ax, ay), (bx, by), (cx, cy) = points[:3]
        sense = 1.0 if (bx - ax) * (cy - ay) > (by - ay) * (cx - ax) else -1.0
        inside = np.full((len(patch.y), patch.x.shape[1]), np.inf, np.float32)
        for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
            length = math.sqrt((bx - ax) * (bx - ax) + (by - ay) * (by - ay)) * sense
            dx, dy = (bx - ax) / length, (by - ay) / length
            np.minimum(inside, (patch.y - ay) * dx - (patch.x - ax) * dy, out=inside)
        _blend(patch.pixels, inside, colour)

    def curve(self, points: tuple[Point, Point, Point], width: float, colour: Colour) -> None:
        """Draw a quadratic Bezier curve with round ends: start, control point, end."""
        (ax, ay), (bx, by), (cx, cy) = (self._point(point) for point in points)
        wide = width * math.sqrt(self.right[0] * self.right[0] + self.right[1] * self.right[1])
        patch = self._patch([(ax, ay), (bx, by), (cx, cy)], (wide, wide))
        nearest = np.full((len(patch.y), patch.x.shape[1]), np.inf, np.float32)
        x, y = ax, ay
        for step in range(1, _PIECES + 1):
            t = step / _PIECES
            start, control, end = (1 - t) * (1 - t), 2 * t * (1 - t), t * t
            to_x = start * ax + control * bx + end * cx
            to_y = start * ay + control * by + end * cy
            np.minimum(nearest, _distance(patch, (x, y), (to_x, to_y)), out=nearest)
            x, y = to_x, to_y
        _blend(patch.pixels, wide / 2 - nearest, colour)

    def _point(self, at: Point) -> Point:
        x, y = self._vector(at)
        return (self.origin[0] + x, self.origin[1] + y)

    def _vector(self, to: Point) -> Point:
        x, y = to
        return (x * self.right[0] + y * self.down[0], x * self.right[1] + y * self.down[1])

    def _patch(self, points: Sequence[Point], reach: Point) -> _Patch:
        """The pixels as far as `reach` around some points, and one more at each end."""
        height, width = self.pixels.shape[1:]
        left, right = _span([x for x, _ in points], reach[0], width)
        top, bottom = _span([y for _, y in points], reach[1], height)
        return _Patch(
            self.pixels[:, top:bottom, left:right],
            np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5),
            np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5),
        )


def _span(along: list[float], reach: float, size: int) -> tuple[int, int]:
    """Range of the pixels as far as `reach` around some places, within the picture."""
    start = max(int(min(along) - reach) - 1, 0)
    return start, min(max(int(max(along) + reach) + 2, start), size)


def _distance(patch: _Patch, start: Point, end: Point) -> Floats:
    """Distance of each pixel of a patch from a line segment, [h, w]."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    square = max(dx * dx + dy * dy, 1e-9)
    x, y = patch.x - start[0], patch.y - start[1]
    along = np.minimum(np.maximum(x * (dx / square) + y * (dy / square), 0), 1)
    x, y = x - along * dx, y - along * dy
    return cast(Floats, np.sqrt(x * x + y * y))


def _blend(pixels: Floats, inside: Floats, colour: Colour) -> None:
    """Mix `colour` into pixels [3, h, w]; `inside` [h, w] is their depth in the shape in pixels."""
    inside += 0.5
    share = np.clip(inside, 0, 1, out=inside)
    for plane, value in zip(pixels, colour, strict=True):
        np.add(plane, share * (value - plane), out=plane)


def _cos_sin(turn: float) -> Point:
    """Cosine and sine of the angle whose half has the tangent `turn`, without a sine."""
    square = turn * turn
    return (1 - square) / (1 + square), 2 * turn / (1 + square)
