"""TIFF files as stored: grey of 8 bits or fewer and of 16, RGB, palettes and CMYK."""

from collections.abc import Iterator
from typing import BinaryIO

from PIL import TiffImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from shallowdeep.pictures.limits import Unusable

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF's

SUBFILE, OLD_SUBFILE, WIDTH, LENGTH, BITS, PHOTOMETRIC = 254, 255, 256, 257, 258, 262
TILE_WIDTH, TILE_LENGTH, SUBDIRECTORIES, SAMPLE_FORMAT = 322, 323, 330, 339

WHITE_IS_ZERO, BLACK_IS_ZERO = 0, 1  # photometric interpretations of grey
GREY_BITS = {
    WHITE_IS_ZERO: (1, 2, 4, 8),
    BLACK_IS_ZERO: (1, 2, 4, 8, 16),
}  # that Pillow reads right
SAMPLE_KINDS = {1: "", 2: "signed ", 3: "floating-point "}

LARGEST_TILE = 2**24  # pixels; a tile is decoded whole, however small the picture
PREVIEW = 4  # times as many pixels in another picture of the file make the first one a preview
DIRECTORIES = 16  # at most that are searched for a larger picture


class Tiff(TiffImagePlugin.TiffImageFile):
    """A TIFF file as stored: Pillow would turn it while loading, and fail for a mistyped tag."""

    def load_end(self) -> None:
        """Keep the stored orientation."""
        self._size = self._tile_size

    def _setup(self) -> None:
        _check_grey(self.tag_v2)  # before Pillow refuses it for a reason without a name
        super()._setup()


def open_tiff(file: BinaryIO) -> Tiff:
    """Read the tags of a TIFF file and no pixels.

    Raises:
        Unusable: the pixels are of a kind that cannot be read, or are a preview of others.
    """
    try:
        image = Tiff(file)
    except SyntaxError as error:
        raise Unusable(f"damaged, or a kind of TIFF that cannot be read: {error}") from None
    if PHOTOMETRIC not in image.tag_v2 and image.mode in ("1", "L", "I;16"):
        raise Unusable("grey without the tag that tells black from white; convert it")
    width, length = (_number(image.tag_v2, tag, 0) for tag in (TILE_WIDTH, TILE_LENGTH))
    if width * length > LARGEST_TILE:
        raise Unusable(f"tiles of {width} x {length} pixels are more than {LARGEST_TILE:,} pixels")
    _check_preview(file, image.tag_v2)
    return image


def _check_grey(tags: ImageFileDirectory_v2) -> None:
    """Refuse grey that Pillow reads in other levels than meant, or not at all."""
    photometric = _number(tags, PHOTOMETRIC, BLACK_IS_ZERO)
    bits, kind = _number(tags, BITS, 1), _number(tags, SAMPLE_FORMAT, 1)
    if photometric in GREY_BITS and (kind != 1 or bits not in GREY_BITS[photometric]):
        name = "white-is-zero " if photometric == WHITE_IS_ZERO else ""
        name += SAMPLE_KINDS.get(kind, "")
        raise Unusable(f"{name}grey of {bits} bits; convert it to plain grey of 8 or 16 bits")


def _check_preview(file: BinaryIO, tags: ImageFileDirectory_v2) -> None:
    """Refuse a camera's raw file: it begins with a small picture of the real one."""
    pixels = _pixels(tags)
    is_flagged = _number(tags, SUBFILE, 0) & 1 or _number(tags, OLD_SUBFILE, 1) == 2
    if is_flagged or any(_pixels(other) > PREVIEW * pixels for other in _others(file, tags)):
        width, length = (_number(tags, tag, 0) for tag in (WIDTH, LENGTH))
        raise Unusable(
            f"its first picture, {width} x {length} pixels, is a preview (a camera's raw file?)"
        )


def _others(file: BinaryIO, tags: ImageFileDirectory_v2) -> Iterator[ImageFileDirectory_v2]:
    """Tags of the other pictures of a file, if they can be read."""
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


def _pixels(tags: ImageFileDirectory_v2) -> int:
    return _number(tags, WIDTH, 0) * _number(tags, LENGTH, 0)


def _number(tags: ImageFileDirectory_v2, tag: int, default: int) -> int:
    """First number of a tag."""
    value = tags.get(tag, default)
    value = value[0] if isinstance(value, tuple | list) and value else value
    return value if isinstance(value, int) else default
