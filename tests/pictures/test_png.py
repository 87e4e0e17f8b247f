"""PNG files lose nothing but what says nothing about their pixels."""

import struct
import zlib

import numpy as np
import pytest
from picture_files import chunk, decoded, png, stored
from PIL import Image

from shallowdeep.pictures.png import essential

VALUES = np.arange(16).reshape(2, 8) % 4


def grey(depth, *, before=b"", values=VALUES):
    """A file of 8 x 2 grey values."""
    rows = ["".join(f"{value:0{depth}b}" for value in row) for row in values]
    raw = b"".join(b"\0" + int(row, 2).to_bytes(len(row) // 8) for row in rows)
    return png(8, 2, zlib.compress(raw), depth=depth, colour=0, before=before)


@pytest.mark.parametrize("depth", [2, 4, 8, 16])
def test_a_transparent_grey_value_shows_white(tmp_path, depth):
    """As `convert FILE -background white -alpha remove` of ImageMagick 6.9.11 shows it."""
    values = VALUES * ((2**depth - 1) // 3)
    data = grey(depth, values=values, before=chunk(b"tRNS", struct.pack(">H", values[0, 1])))
    assert abs(decoded(tmp_path, data).pixels - np.array([0.0, 255, 170, 255] * 2)).max() <= 1


LARGE = b"A comment\0\0" + zlib.compress(bytes(3_000_000))
BESIDE = {
    "large text": chunk(b"zTXt", LARGE),
    "many texts": chunk(b"tEXt", b"A\0" + b"x" * 100_000) * 700,
    "a large colour profile": chunk(b"iCCP", LARGE),
    "a text with a wrong checksum": chunk(b"tEXt", b"A\0b", checksum=1),
    "EXIF with a wrong checksum": chunk(b"eXIf", b"MM\0*", checksum=1),
    "EXIF of rubbish": chunk(b"eXIf", b"\xff" * 300),
    "a chunk that nobody knows": chunk(b"abCd", b"?" * 1_000_000),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_stands_beside_the_pixels_does_no_harm(tmp_path, name):
    """Large, or damaged: libpng and ImageMagick read past it."""
    plain = decoded(tmp_path, grey(8)).pixels
    assert np.array_equal(decoded(tmp_path, grey(8, before=BESIDE[name])).pixels, plain)


@pytest.mark.parametrize("where", ["exif", "raw profile", "XMP"])
def test_whatever_says_which_way_is_up_is_kept(tmp_path, where):
    """EXIF in its own chunk, in a text as older programs write it, or XMP."""
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    profile = f"\nexif\n{len(block):8}\n{block.hex()}\n".encode()
    before = {
        "exif": chunk(b"eXIf", block.removeprefix(b"Exif\0\0")),
        "raw profile": chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)),
        "XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b'<x tiff:Orientation="6"/>'),
    }
    assert decoded(tmp_path, grey(8, before=before[where]))[1:] == (2, 8)


def test_other_pictures_pass_through():
    """What Pillow writes has nothing that goes but its comment."""
    data = stored(Image.new("RGB", (9, 9)), "PNG")
    assert essential(data) == data
