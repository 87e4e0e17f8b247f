"""EXIF orientation of a picture.

Pillow's own turning writes all tags anew, and fails if one has a wrong type or points nowhere. Here
only the orientation is read; if it cannot be read, the picture is not turned.
"""

import struct
from contextlib import suppress

from PIL import ExifTags, Image

START = b"Exif\0\0"

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}  # types of tags
TEXT = 2


def turn(image: Image.Image, block: bytes = b"") -> Image.Transpose | None:
    """Return the transposition that turns a picture upright; None if it is, or if unknown.

    Decodes no pixels: Pillow's `PngImageFile.getexif` does, and a decoder's exception would be
    suppressed with those of a hostile EXIF block. So load a PNG first, whose EXIF may come last.

    Args:
        image: with the EXIF block that Pillow found, with a TIFF file's tags, or with XMP.
        block: another EXIF block, which comes first.
    """
    orientation = _orientation(block or image.info.get("exif", b""))
    if orientation is None:
        with suppress(Exception):  # a hostile block can raise anything
            tags = Image.Image.getexif(image)
            orientation = _number(tags.get(ExifTags.Base.Orientation))
    return TURNS.get(orientation or 1)


def _orientation(block: bytes) -> int | None:
    """Find the tag in an EXIF block (TIFF 6.0, section 2), of any type."""
    block = block.removeprefix(START)
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    with suppress(struct.error):
        if order:
            (at,) = struct.unpack_from(f"{order}I", block, 4)
            (count,) = struct.unpack_from(f"{order}H", block, at)
            for entry in range(at + 2, at + 2 + 12 * count, 12):
                tag, kind = struct.unpack_from(f"{order}HH", block, entry)
                if tag == ExifTags.Base.Orientation:
                    value = block[entry + 8 : entry + 12]
                    if kind == TEXT:
                        return _number(value.split(b"\0")[0])
                    if kind in INTEGERS:
                        return int(struct.unpack_from(f"{order}{INTEGERS[kind]}", value)[0])
    return None


def _number(value: object) -> int | None:
    """Convert a tag's value as Pillow gives it: a number, text, a fraction, or several of them."""
    if isinstance(value, tuple):
        value = value[0]
    if isinstance(value, bytes) and len(value) == 1 and not value.isdigit():
        return value[0]
    with suppress(ValueError, OverflowError):
        return int(value) if isinstance(value, int | float | str | bytes) else None
    return None
