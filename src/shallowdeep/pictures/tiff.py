"""TIFF files as stored: grey of 8 bits or fewer and of 16, RGB, palettes and CMYK."""

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

from PIL import TiffImagePlugin

from shallowdeep.pictures.ifd import Directory
from shallowdeep.pictures.limits import Unusable, check_scans

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF's

SUBFILE, OLD_SUBFILE, WIDTH, LENGTH, BITS, COMPRESSION = 254, 255, 256, 257, 258, 259
PHOTOMETRIC, ROWS_PER_STRIP, TILE_WIDTH, TILE_LENGTH = 262, 278, 322, 323
SUBDIRECTORIES, SAMPLE_FORMAT = 330, 339

WHITE_IS_ZERO, BLACK_IS_ZERO = 0, 1  # photometric interpretations of grey
GREY_BITS = {
    WHITE_IS_ZERO: (1, 2, 4, 8),
    BLACK_IS_ZERO: (1, 2, 4, 8, 16),
}  # that Pillow reads right
SAMPLE_KINDS = {1: "", 2: "signed ", 3: "floating-point "}
JPEG = (6, 7)  # compressions

LARGEST_TILE = 2**24  # pixels; a tile is decoded whole, however small the picture
NUMBERS = (3, 4, 13, 16)  # types of tags that Pillow takes value by value
LONGEST_TAG = 2**22  # bytes of them: the places of 500,000 tiles
MOST_SHARED = 2**26  # bytes of the file that belong to several tags
PREVIEW = 4  # times as many pixels in another picture of the file make the first one a preview
DIRECTORIES = 16  # at most that are searched for a larger picture


class Tiff(TiffImagePlugin.TiffImageFile):
    """A TIFF file as stored: Pillow would turn it while loading, and fail for a mistyped tag."""

    def load_end(self) -> None:
        """Keep the stored orientation."""
        self._size = self._tile_size


def open_tiff(file: BinaryIO, max_pixels: int) -> Tiff:
    """Read the tags of a TIFF file and no pixels.

    Raises:
        Unusable: the pixels are of a kind that cannot be read, are a preview of others, or would
            take minutes.
    """
    try:
        tags = Directory(file)
    except (KeyError, ValueError, struct.error):
        raise Unusable("damaged") from None
    _check_tags(file, tags)
    _check_grey(tags)
    _check_preview(file, tags)
    _check_jpeg(file, tags, max_pixels)
    file.seek(0)
    try:
        image = Tiff(file)
    except SyntaxError as error:
        raise Unusable(f"damaged, or a kind of TIFF that cannot be read: {error}") from None
    if PHOTOMETRIC not in image.tag_v2 and image.mode in ("1", "L", "I;16"):
        raise Unusable("grey without the tag that tells black from white; convert it")
    return image


def _check_tags(file: BinaryIO, tags: Directory) -> None:
    """Refuse tags that take gigabytes, and tiles."""
    end = file.seek(0, os.SEEK_END)
    sizes = [(tag.kind, min(tag.size, end)) for tag in tags.tags.values()]
    total = sum(size for _, size in sizes)
    longest = max((size for kind, size in sizes if kind in NUMBERS), default=0)
    if total > end + MOST_SHARED or longest > LONGEST_TAG:
        raise Unusable(f"damaged: tags of {total:,} bytes")
    width, length = tags.number(TILE_WIDTH, 0), tags.number(TILE_LENGTH, 0)
    if width * length > LARGEST_TILE:
        raise Unusable(f"tiles of {width} x {length} pixels are more than {LARGEST_TILE:,} pixels")


def _check_grey(tags: Directory) -> None:
    """Refuse grey that Pillow reads in other levels than meant, or not at all."""
    photometric = tags.number(PHOTOMETRIC, BLACK_IS_ZERO)
    bits, kind = tags.number(BITS, 1), tags.number(SAMPLE_FORMAT, 1)
    if photometric in GREY_BITS and (kind != 1 or bits not in GREY_BITS[photometric]):
        name = "white-is-zero " if photometric == WHITE_IS_ZERO else ""
        name += SAMPLE_KINDS.get(kind, "")
        raise Unusable(f"{name}grey of {bits} bits; convert it to plain grey of 8 or 16 bits")


def _check_preview(file: BinaryIO, tags: Directory) -> None:
    """Refuse a camera's raw file: it begins with a small picture of the real one."""
    width, length = tags.number(WIDTH, 0), tags.number(LENGTH, 0)
    is_flagged = tags.number(SUBFILE, 0) & 1 or tags.number(OLD_SUBFILE, 1) == 2
    pixels = [other.number(WIDTH, 0) * other.number(LENGTH, 0) for other in _others(file, tags)]
    if is_flagged or max(pixels, default=0) > PREVIEW * width * length:
        raise Unusable(
            f"its first picture, {width} x {length} pixels, is a preview (a camera's raw file?)"
        )


def _others(file: BinaryIO, tags: Directory) -> Iterator[Directory]:
    """Tags of the other pictures of a file, if they can be read."""
    waiting = [tags.next, *tags.numbers(SUBDIRECTORIES)]
    for _ in range(DIRECTORIES):
        if not waiting:
            return
        if (at := waiting.pop(0)) > 0:
            with suppress(KeyError, ValueError, struct.error):
                found = Directory(file, at)
                yield found
                waiting.append(found.next)


def _check_jpeg(file: BinaryIO, tags: Directory, max_pixels: int) -> None:
    """Refuse a file whose strips are JPEG files of too many scans."""
    if tags.number(COMPRESSION, 1) in JPEG:
        length = tags.number(LENGTH, 0)
        strip = tags.number(WIDTH, 0) * min(tags.number(ROWS_PER_STRIP, length), length)
        strip = tags.number(TILE_WIDTH, 0) * tags.number(TILE_LENGTH, 0) or strip
        file.seek(0)
        check_scans(file.read(), strip, max_pixels)
