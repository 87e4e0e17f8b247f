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
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from shallowdeep.files.errors import InputError
from shallowdeep.pictures import jpeg

if TYPE_CHECKING:
    from torch import Tensor

IN_ONE_PIECE = 1 << 24  # bytes; larger files are read as their decoder asks
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


class Unusable(InputError):
    """A file that gives no picture; the message is the reason alone."""


class Picture(NamedTuple):
    """A decoded and resized picture."""

    pixels: NDArray[np.uint8]  # [3, S, S]
    width: int  # before resizing, upright
    height: int


@contextmanager
def quiet() -> Iterator[TextIO]:
    """Keep decoders' remarks about odd files off the terminal.

    Python's warnings and file descriptor 2 are silenced: libjpeg writes to it past Python. Both
    belong to the whole process, so this goes around threads that decode, not into them.

    Yields:
        What stderr was, for a progress bar.
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

    What the file holds decides, not its name: JPEG, PNG, WebP, GIF (first frame), BMP or TIFF. The
    resizing is torch's antialiased bilinear one on bytes, as in the article: integer arithmetic,
    the same bits with and without AVX2, and three times as fast as Pillow's.

    Args:
        path: the file.
        size: pixels along each side of the result.
        max_pixels: a picture of more is not decoded.

    Raises:
        Unusable: empty, no picture, truncated, damaged, too large, or unreadable.
        InputError: memory is too short for it.
    """
    try:
        with _open(path) as file:
            pixels = _upright_rgb(file, max_pixels)
    except Unusable:
        raise
    except MemoryError:  # which pictures are used must not depend on the machine
        raise InputError(f"{path}: memory is too short for it; allow fewer pixels") from None
    except UnidentifiedImageError:
        raise Unusable(f"no picture in one of the formats {', '.join(FORMATS)}") from None
    except OSError as error:
        raise Unusable(_reason(error)) from None
    except Exception as error:  # a hostile file can raise anything in a decoder
        raise Unusable(_reason(error)) from None
    height, width = pixels.shape[2:]
    return Picture(_resized(pixels, size), width, height)


def _open(path: str | Path) -> BinaryIO:
    """The file, or its content if that came in one piece.

    With few system calls, since each lets another thread take the interpreter, and waiting to get
    it back costs more than the call: with `path.open` and reads two threads decode a tenth less.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe must not block
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Unusable("not an ordinary file")
        if status.st_size == 0:
            raise Unusable("empty file")
        data = os.read(descriptor, min(status.st_size, IN_ONE_PIECE))
        if len(data) == status.st_size:
            return BytesIO(data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.fdopen(os.dup(descriptor), "rb")
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:  # Pillow's own have no number
        return f"cannot be read: {error.strerror}"
    return "truncated" if "truncated" in str(error).lower() else "damaged"


def _upright_rgb(file: BinaryIO, max_pixels: int) -> Tensor:
    """Pixels uint8 [1, 3 or 4, H, W]; a fourth channel is padding."""
    pixels = _plain_jpeg(file, max_pixels)
    if pixels is not None:
        return pixels[None]
    file.seek(0)
    Image.MAX_IMAGE_PIXELS = None  # the limit is ours, checked before a pixel is decoded
    with Image.open(file, formats=FORMATS) as image:
        _check_size(image.size, max_pixels)
        if image.format == "JPEG" and image.mode == "RGB" and _is_upright(image):
            file.seek(0)
            pixels = jpeg.pixels(file.read())
            if pixels is not None:
                return pixels[None]
        ImageOps.exif_transpose(image, in_place=True)
        return _tensor(_rgb(image))


def _is_upright(image: Image.Image) -> bool:
    return bool(image.getexif().get(ExifTags.Base.Orientation, 1) == 1)


def _plain_jpeg(file: BinaryIO, max_pixels: int) -> Tensor | None:
    """Pixels uint8 [3, H, W], or None for what needs a closer look."""
    if file.read(len(jpeg.MAGIC)) != jpeg.MAGIC:
        return None
    file.seek(0)
    data = file.read()
    size = jpeg.plain_size(data)
    if size is None:
        return None
    _check_size(size, max_pixels)
    return jpeg.pixels(data)


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise Unusable(f"{width} x {height} pixels are more than data.max_pixels {max_pixels}")


def _rgb(image: Image.Image) -> Image.Image:
    """Any mode that Pillow reads, as RGB; transparent parts show white, as on paper."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_bytes(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _bytes(grey: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey values of 16 or 32 bits, or floating point (0 .. 1, or 0 .. 255), as bytes."""
    values = np.nan_to_num(grey.astype(np.float64), posinf=1e300)
    if grey.dtype.kind == "f":
        scale = 255.0 if values.max() <= 1 else 1.0
    else:
        scale = 1 / 257 if values.max() <= 65_535 else 255 / (2**31 - 1)
    return np.clip(np.rint(values * scale), 0, 255).astype(np.uint8)


def _tensor(image: Image.Image) -> Tensor:
    """Pixels of an RGB picture: uint8 [1, 4, H, W], the fourth channel being Pillow's padding."""
    import torch

    pixels = bytearray(image.tobytes("raw", "RGBX"))
    return torch.frombuffer(pixels, dtype=torch.uint8).view(1, *image.size[::-1], 4).movedim(3, 1)


def _resized(pixels: Tensor, size: int) -> NDArray[np.uint8]:
    """Pixels uint8 [1, 3 or 4, H, W] at another size: [3, S, S]."""
    import torch

    interpolate = torch.nn.functional.interpolate  # imported by name here: 8 microseconds more
    small = interpolate(pixels, size=(size, size), mode="bilinear", antialias=True)
    return np.ascontiguousarray(small.numpy()[0, :3])
