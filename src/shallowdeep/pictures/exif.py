"""EXIF orientation of a picture.

Pillow's own turning writes all tags anew, and fails if one has a wrong type or points nowhere. Here
only the orientation is read; if it cannot be read, the picture is not turned.
"""

import struct
from contextlib import suppress
from io import BytesIO

from PIL import ExifTags, Image

from shallowdeep.pictures.ifd import Directory

START = b"Exif\0\0"
ORIENTATION = ExifTags.Base.Orientation
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turn(image: Image.Image, block: bytes = b"") -> Image.Transpose | None:
    """Return the transposition that turns a picture upright; None if it is, or if unknown.

    Decodes no pixels: Pillow's `PngImageFile.getexif` does, and a decoder's exception would be
    suppressed with those of a hostile EXIF block. So load a PNG first, whose EXIF may come last.

    Args:
        image: with the EXIF block that Pillow found, with a TIFF file's tags, or with XMP.
        block: another EXIF block, which comes first.
    """
    orientation: object = None
    with suppress(KeyError, ValueError, struct.error):
        block = block or image.info.get("exif", b"")
        orientation = Directory(BytesIO(block.removeprefix(START))).number(ORIENTATION, 0)
    if not orientation:
        with suppress(Exception):  # a hostile block can raise anything
            orientation = Image.Image.getexif(image).get(ORIENTATION)
            orientation = int(orientation) if isinstance(orientation, str) else orientation
    return TURNS.get(orientation) if isinstance(orientation, int) else None
