"""Which way up a picture is.

Pillow's own turning writes all tags anew, and one of a wrong type or that points nowhere then loses
the whole picture. Here only what says which way is up is read, and where it cannot be it says
nothing: the pixels beside it are whole.
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
WHOLE = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}  # types of tags that are whole numbers
TEXT = 2


def turn(image: Image.Image, block: bytes = b"") -> Image.Transpose | None:
    """What turns a picture upright; None where it is upright, or nobody knows.

    Args:
        image: with the EXIF block that Pillow found, with a TIFF file's tags, or with XMP.
        block: another EXIF block, which comes first.
    """
    said = _orientation(block or image.info.get("exif", b""))
    if said is None:
        with suppress(Exception):  # a hostile block can raise anything
            said = _number(image.getexif().get(ExifTags.Base.Orientation))
    return TURNS.get(said or 1)


def _orientation(block: bytes) -> int | None:
    """The tag in an EXIF block (TIFF 6.0, section 2), of whatever type; None if there is none."""
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
                    if kind in WHOLE:
                        return int(struct.unpack_from(f"{order}{WHOLE[kind]}", value)[0])
    return None


def _number(said: object) -> int | None:
    """A tag's value as Pillow gives it: a number, text, a fraction, or several of them."""
    if isinstance(said, tuple):
        said = said[0]
    if isinstance(said, bytes) and len(said) == 1 and not said.isdigit():
        return said[0]
    with suppress(ValueError, OverflowError):
        return int(said) if isinstance(said, int | float | str | bytes) else None
    return None
