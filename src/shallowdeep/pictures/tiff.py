"""TIFF files as they are stored, and what Pillow leaves to be said about them."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile, TiffImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from shallowdeep.pictures.grey import Levels, white_of
from shallowdeep.pictures.limits import Unusable

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF's

SUBFILE, OLD_SUBFILE, WIDTH, LENGTH, BITS, PHOTOMETRIC = 254, 255, 256, 257, 258, 262
TILE_WIDTH, TILE_LENGTH, SUBDIRECTORIES, SAMPLE_FORMAT = 322, 323, 330, 339
UNSIGNED, SIGNED, FLOATING = 1, 2, 3

LARGEST_TILE = 2**24  # pixels; a tile is decoded whole, however small the picture
PREVIEW = 4  # times as many pixels in another picture of the file make the first one a preview
DIRECTORIES = 16  # that are looked at

# Grey that Pillow can unpack and has no entry for: white is zero, both orders of bytes.
for _order, _end in ((b"II", ""), (b"MM", "B")):
    for _photometric in (0, 1):
        for _format, _bits, _mode, _raw in (
            (UNSIGNED, 12, "I;16", "I;12"),  # packed alike in both orders
            (UNSIGNED, 16, f"I;16{_end}", f"I;16{_end}"),
            (UNSIGNED, 32, "I", "I;32B" if _end else "I;32N"),
            (SIGNED, 16, "I", f"I;16{_end}S"),
            (SIGNED, 32, "I", f"I;32{_end}S"),
            (FLOATING, 32, "F", f"F;32{_end}F"),
            (FLOATING, 64, "F", f"F;64{_end}F"),
        ):
            TiffImagePlugin.OPEN_INFO.setdefault(
                (_order, _photometric, (_format,), 1, (_bits,), ()), (_mode, _raw)
            )

# libtiff gives what it decompresses in the machine's order, which Pillow minds in some modes only.
NATIVE = {"I;16BS": "I;16NS", "I;32BS": "I;32NS", "F;32BF": "F;32NF", "F;64BF": "F;64NF"}
# Without a tag that says so Pillow takes 0 for white, libtiff for black.
BLACK_IS_ZERO = {"1;I": "1", "L;2I": "L;2", "L;4I": "L;4", "L;I": "L"}


class Tiff(TiffImagePlugin.TiffImageFile):
    """A TIFF file as stored: Pillow would turn it while loading, and fail for a mistyped tag."""

    def load_end(self) -> None:
        """Leave the picture as it lies."""
        self._size = self._tile_size


def opened(file: BinaryIO) -> Tiff:
    """Read the tags of a TIFF file and nothing more.

    Raises:
        Unusable: the pixels are of a kind that cannot be read, or are a preview of others.
    """
    try:
        image = Tiff(file)
    except SyntaxError as error:
        raise Unusable(f"damaged, or a kind of TIFF that cannot be read: {error}") from None
    _check_tile(image)
    _check_preview(file, image.tag_v2)
    image.tile = [_mended(tile, image.tag_v2) for tile in image.tile]
    return image


def _mended(tile: ImageFile._Tile, tags: ImageFileDirectory_v2) -> ImageFile._Tile:
    """How a part of the picture is to be unpacked."""
    if not isinstance(tile.args, tuple):
        return tile
    how, *rest = tile.args
    if tile.codec_name == "libtiff":
        how = NATIVE.get(how, how)
    if PHOTOMETRIC not in tags:
        how = BLACK_IS_ZERO.get(how, how)
    return tile._replace(args=(how, *rest))


def levels(image: Tiff, values: NDArray[np.generic]) -> tuple[NDArray[np.generic], Levels]:
    """The grey values as they are meant, and which of them show black and white.

    A signed picture of 16 bits uses its whole range, as ImageMagick has it; one of 32 bits, which
    is how Pillow stores whole numbers, begins at 0 and may hold no more than 16 bits.
    """
    bits, kind = _number(image.tag_v2, BITS, 1), _number(image.tag_v2, SAMPLE_FORMAT, UNSIGNED)
    if kind == FLOATING:
        black, white = 0.0, white_of(values.astype(np.float32, copy=False))
    elif kind == SIGNED and bits == 16:
        black, white = -(2.0**15), 2.0**15 - 1
    elif kind == SIGNED:
        black, white = 0.0, 2.0**16 - 1 if values.max() < 2**16 else 2.0**31 - 1
    else:
        values = values.view(np.uint32) if values.dtype == np.int32 else values
        black, white = 0.0, 2.0**bits - 1
    if _number(image.tag_v2, PHOTOMETRIC, 1) == 0:
        black, white = white, black
    return values, Levels(black, white)


def _number(tags: ImageFileDirectory_v2, tag: int, default: int) -> int:
    """The first number of a tag."""
    value = tags.get(tag, default)
    value = value[0] if isinstance(value, tuple | list) and value else value
    return value if isinstance(value, int) else default


def _check_tile(image: Tiff) -> None:
    width, length = (_number(image.tag_v2, tag, 0) for tag in (TILE_WIDTH, TILE_LENGTH))
    if width * length > LARGEST_TILE:
        raise Unusable(f"tiles of {width} x {length} pixels are more than {LARGEST_TILE:,} pixels")


def _check_preview(file: BinaryIO, tags: ImageFileDirectory_v2) -> None:
    """A camera's raw file begins with a small picture of what it holds."""
    here = _pixels(tags)
    flagged = _number(tags, SUBFILE, 0) & 1 or _number(tags, OLD_SUBFILE, 1) == 2
    if flagged or any(_pixels(other) > PREVIEW * here for other in _others(file, tags)):
        width, length = (_number(tags, tag, 0) for tag in (WIDTH, LENGTH))
        raise Unusable(
            f"its first picture, {width} x {length} pixels, is a preview (a camera's raw file?)"
        )


def _pixels(tags: ImageFileDirectory_v2) -> int:
    return _number(tags, WIDTH, 0) * _number(tags, LENGTH, 0)


def _others(file: BinaryIO, tags: ImageFileDirectory_v2) -> Iterator[ImageFileDirectory_v2]:
    """Tags of the other pictures of a file, as far as they can be read."""
    below = tags.get(SUBDIRECTORIES, ())
    waiting = [tags.next, *(below if isinstance(below, tuple) else (below,))]
    file.seek(0)
    head = file.read(16)
    for _ in range(DIRECTORIES):
        if not waiting:
            return
        at = waiting.pop(0)
        if not isinstance(at, int) or at <= 0:
            continue
        found = ImageFileDirectory_v2(head if 43 in head[2:4] else head[:8])
        try:
            file.seek(at)
            found.load(file)
        except (OSError, ValueError, OverflowError, SyntaxError):
            continue
        yield found
        waiting.append(found.next)
