"""One picture: from a file to the bytes that a network is given."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from shallowdeep.pictures import exif, jpeg, other_formats, png, tiff
from shallowdeep.pictures.blocks import GIF, check_blocks, is_webp
from shallowdeep.pictures.limits import MOST_BYTES, RUN_LENGTHS, Unusable, check_scans, check_size

if TYPE_CHECKING:
    from torch import Tensor

IN_ONE_PIECE = 1 << 24  # bytes; larger files are read as their decoder asks
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
MAGIC = (jpeg.MAGIC, png.MAGIC, *GIF, b"BM", *tiff.MAGIC)  # WebP's has two parts
OF_16_BITS = [(value + 128) // 257 for value in range(2**16)]  # rounded: 65535 / 257 = 255


class Picture(NamedTuple):
    """A decoded and resized picture."""

    pixels: NDArray[np.uint8]  # [3, S, S]
    width: int  # before resizing, upright
    height: int


@contextmanager
def quiet() -> Iterator[TextIO]:
    """Keep decoders' remarks about odd files off the terminal.

    Python's warnings and file descriptor 2 are silenced: libjpeg writes to it directly. Both belong
    to the whole process, so use this around threads that decode, not in them.

    Yields:
        The former stderr, for a progress bar.
    """
    with warnings.catch_warnings(action="ignore"), os.fdopen(os.dup(2), "w") as stderr:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        try:
            yield stderr
        finally:
            os.dup2(stderr.fileno(), 2)


def decode(path: str | Path, *, size: int, max_pixels: int) -> Picture:
    """Read a picture, turn it upright, make it RGB and resize it.

    The content decides, not the name: JPEG, PNG, WebP, GIF (first frame), BMP or TIFF. The
    resizing is torch's antialiased bilinear one on bytes, as in the article: integer arithmetic,
    the same bits with and without AVX2, and three times as fast as Pillow's.

    Args:
        path: the file.
        size: pixels along each side of the result.
        max_pixels: a picture of more is not decoded.

    Raises:
        Unusable: empty, no picture, truncated, damaged, too large, unreadable, or in need of more
            memory than there is.
    """
    try:
        with _open(path) as file:
            pixels = _upright_rgb(file, max_pixels)
        height, width = pixels.shape[2:]
        return Picture(_resized(pixels, size), width, height)
    except Unusable:
        raise
    except Exception as error:  # a hostile file can raise anything in a decoder
        raise Unusable(_reason(error)) from None


def _open(path: str | Path) -> BinaryIO:
    """Open a file, or return its content if one read gives all of it.

    Few system calls: each lets another thread take the interpreter, and to wait for it costs more
    than the call. With `path.open` and reads two threads decode a tenth less.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must not block
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Unusable("not an ordinary file")
        if status.st_size == 0:
            raise Unusable("empty file")
        if status.st_size > MOST_BYTES:
            raise Unusable(f"{status.st_size:,} bytes are more than {MOST_BYTES:,}")
        data = os.read(descriptor, min(status.st_size, IN_ONE_PIECE))
        if len(data) == status.st_size:
            return BytesIO(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.fdopen(os.dup(descriptor), "rb")
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"no picture in one of the formats {', '.join(FORMATS)}"
    if isinstance(error, OSError) and error.errno is not None:  # Pillow's own have no number
        return f"cannot be read: {error.strerror}"
    if isinstance(error, MemoryError) or "allocate memory" in str(error):  # torch's RuntimeError
        return "needs more memory than there is; data.max_pixels can keep such files out"
    return "truncated" if "truncated" in str(error).lower() else "damaged"


def _upright_rgb(file: BinaryIO, max_pixels: int) -> Tensor:
    """Decode to uint8 [1, 3 or 4, H, W]; a fourth channel is padding."""
    start = file.read(other_formats.LONGEST)
    file.seek(0)
    if start.startswith(jpeg.MAGIC):
        return _upright_jpeg(file.read(), max_pixels)
    if start.startswith(png.MAGIC):
        file = BytesIO(png.essential(file.read()))
    check_blocks(file, start)
    with _open_image(file, start, max_pixels) as image:
        check_size(*image.size, max_pixels)
        if any(tile.codec_name == "bmp_rle" for tile in image.tile):
            work = image.width * image.height + file.seek(0, os.SEEK_END)
            if work > RUN_LENGTHS:
                raise Unusable(f"run lengths: {work:,} pixels and bytes, more than {RUN_LENGTHS:,}")
        if start.startswith(png.MAGIC):
            image.load()  # first: EXIF may follow the pixels
        return _tensor(_turned(image, exif.turn(image)))


def _upright_jpeg(data: bytes, max_pixels: int) -> Tensor:
    """Decode a JPEG file with the quick decoder, or with Pillow if it is of an unusual kind."""
    if (size := jpeg.plain_size(data)) is not None:
        check_size(*size, max_pixels)
        if (pixels := jpeg.pixels(data)) is not None:
            return pixels[None]
    size = jpeg.size(data)  # the decoder's own word; Pillow may read another
    block, rest = jpeg.split_exif(data)
    with _open_image(BytesIO(rest), data[:12], max_pixels) as image:
        for width, height in (size or image.size, image.size):
            check_size(width, height, max_pixels)
            check_scans(data, width * height, max_pixels)
        turn = exif.turn(image, block)
        is_quick = image.format == "JPEG" and image.mode == "RGB" and size == image.size
        if is_quick and turn is None and (pixels := jpeg.pixels(data)) is not None:
            return pixels[None]
        return _tensor(_turned(image, turn))


def _open_image(file: BinaryIO, start: bytes, max_pixels: int) -> ImageFile.ImageFile:
    """Open a file with Pillow, which decodes no pixel yet."""
    Image.MAX_IMAGE_PIXELS = None  # the limit is ours
    if start.startswith(tiff.MAGIC):
        return tiff.open_tiff(file, max_pixels)
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        if start.startswith(MAGIC) or is_webp(start):
            raise Unusable("damaged") from None
        if name := other_formats.format_of(start):
            raise Unusable(name) from None
        raise


def _turned(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    """Load the pixels, make them RGB and turn them."""
    size = image.size
    image.load()
    if not isinstance(image, tiff.Tiff) and image.size != size:
        raise Unusable("damaged: another size than its header says")
    rgb = _rgb(image)
    return rgb if turn is None else rgb.transpose(turn)


def _rgb(image: Image.Image) -> Image.Image:
    """Convert any mode that Pillow reads to RGB; transparent parts show white, as on paper."""
    if image.mode.startswith("I;16"):
        shown, transparent = OF_16_BITS, image.info.get("transparency")
        if isinstance(transparent, int):
            shown = [*shown[:transparent], 255, *shown[transparent + 1 :]]
        return image.convert("I").point(shown, "L").convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _tensor(image: Image.Image) -> Tensor:
    """Convert an RGB picture to uint8 [1, 4, H, W]; the fourth channel is Pillow's padding."""
    import torch

    pixels = bytearray(image.tobytes("raw", "RGBX"))
    return torch.frombuffer(pixels, dtype=torch.uint8).view(1, *image.size[::-1], 4).movedim(3, 1)


def _resized(pixels: Tensor, size: int) -> NDArray[np.uint8]:
    """Resize pixels uint8 [1, 3 or 4, H, W] to [3, S, S]."""
    import torch

    interpolate = torch.nn.functional.interpolate  # an import here would take 8 microseconds more
    small = interpolate(pixels, size=(size, size), mode="bilinear", antialias=True)
    return np.ascontiguousarray(small.numpy()[0, :3])
