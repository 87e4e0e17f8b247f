"""Grey TIFF files mean what the format says, whatever stores them; previews are no pictures."""

import struct
import zlib

import numpy as np
import pytest

from shallowdeep.pictures.decoding import decode
from shallowdeep.pictures.limits import Unusable

RAMP = np.array([[0, 0.2, 1 / 3, 0.4, 0.6, 0.8, 1, 1]] * 8)
# `convert FILE -depth 8 gray:-` (ImageMagick 6.9.11) gives these for each kind of grey below if 0
# is black; if 0 is white the opposite for 8 and 16 bits, and so does `tiff2rgba` (libtiff 4.5.0)
# for 4, 8 and 16. That ImageMagick leaves other depths as they are is not what the format says.
BYTES = np.array([0, 51, 85, 102, 153, 204, 255, 255])
KINDS = {"B": 1, "H": 3, "I": 4}  # of tags


def tiff(data, *, order="<", bits=8, kind=1, white_is_zero=False, packed=False, **tags):
    """A file of one strip, 8 x 8 grey values unless `tags` says otherwise; t262=None leaves out."""
    content = zlib.compress(data) if packed else data
    numbers = {256: 8, 257: 8, 258: bits, 259: 8 if packed else 1, 262: 0 if white_is_zero else 1}
    numbers |= {273: 8, 277: 1, 278: 8, 279: len(content), 339: kind}
    numbers |= {int(name[1:]): value for name, value in tags.items()}
    entries = [(tag, value) for tag, value in sorted(numbers.items()) if value is not None]
    body = b""
    for tag, value in entries:
        if isinstance(value, bytes):
            body += struct.pack(f"{order}HHI4s", tag, 2, len(value), value)
        else:
            form = "H" if value < 2**16 and tag != 330 else "I"
            number = struct.pack(f"{order}{form}", value).ljust(4, b"\0")
            body += struct.pack(f"{order}HHI4s", tag, KINDS[form], 1, number)
    content += b"\0" * (len(content) % 2)
    head = b"II*\0" if order == "<" else b"MM\0*"
    table = struct.pack(f"{order}H", len(entries)) + body + bytes(4)
    return head + struct.pack(f"{order}I", 8 + len(content)) + content + table


def directory(**numbers):
    """Tags of a further picture, all of type LONG."""
    entries = b"".join(struct.pack("<HHII", int(tag[1:]), 4, 1, n) for tag, n in numbers.items())
    return struct.pack("<H", len(numbers)) + entries + bytes(4)


def decoded(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    return decode(tmp_path / "x", size=8, max_pixels=10_000).pixels


def stored(bits, kind, order):
    """The ramp as grey values of a kind."""
    if kind == 3:
        return RAMP.astype(f"{order}f{bits // 8}").tobytes()
    values = np.rint(RAMP * (2**bits - 1)).astype(np.uint64)
    if kind == 2:
        return (values.astype(np.int64) - 2 ** (bits - 1)).astype(f"{order}i{bits // 8}").tobytes()
    if bits in (16, 32):
        return values.astype(f"{order}u{bits // 8}").tobytes()
    digits = "".join(f"{value:0{bits}b}" for value in values.ravel())
    return int(digits, 2).to_bytes(len(digits) // 8)


GREY = [(4, 1), (8, 1), (12, 1), (16, 1), (32, 1), (16, 2), (32, 3), (64, 3)]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize(("bits", "kind"), GREY)
def test_grey_of_every_kind(tmp_path, bits, kind, order, white_is_zero, packed):
    """Whole numbers, signed ones, floating point; both orders of bytes; black or white is 0."""
    data = stored(bits, kind, order)
    how = {"order": order, "white_is_zero": white_is_zero, "packed": packed}
    pixels = decoded(tmp_path, tiff(data, bits=bits, kind=kind, **how))
    expected = 255 - BYTES if white_is_zero else BYTES
    assert abs(pixels.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("scale", [1, 255, 65_535])
@pytest.mark.parametrize("odd", [1.7, np.inf, -np.inf, np.nan])
def test_one_odd_value_decides_for_no_other(tmp_path, scale, odd):
    """A highlight above white, an infinite value, or none at all, among values of any scale."""
    values = (RAMP * scale).astype("<f4")
    values[0, 0] = odd * scale
    pixels = decoded(tmp_path, tiff(values.tobytes(), bits=32, kind=3))
    assert abs(pixels[:, 1:].astype(int) - BYTES).max() <= 1
    assert pixels[0, 0, 0] == (255 if odd > 1 else 0)


@pytest.mark.parametrize("bits", [8, 16])
def test_without_a_word_zero_is_black(tmp_path, bits):
    """So says libtiff, where the tag is missing; Pillow has it the other way round."""
    data = tiff(stored(bits, 1, "<"), bits=bits, t262=None)
    assert abs(decoded(tmp_path, data).astype(int) - BYTES).max() <= 1


PREVIEWS = {
    "flagged": {"t254": 1},
    "flagged as old files do": {"t255": 2},
    "beside a larger picture": {"t330": directory(t256=600, t257=400)},
    "before a larger picture": {"next": directory(t256=600, t257=400)},
}


@pytest.mark.parametrize("name", PREVIEWS)
def test_a_preview_is_not_the_picture(tmp_path, name):
    """As a camera's raw file begins; the reason says so."""
    tags = dict(PREVIEWS[name])
    further = tags.pop("next", None)
    if isinstance(tags.get("t330"), bytes):
        further = tags.pop("t330")
        length = len(tiff(bytes(64), t330=1))
        data = tiff(bytes(64), t330=length) + further
    else:
        data = tiff(bytes(64), **tags)
        if further:
            data = data[:-4] + struct.pack("<I", len(data)) + further
    with pytest.raises(Unusable, match="its first picture, 8 x 8 pixels, is a preview"):
        decoded(tmp_path, data)


def test_pages_and_thumbnails_are_no_reason(tmp_path):
    """The first of many pages, or a picture with its thumbnail behind it."""
    for width in (8, 2):
        data = tiff(stored(8, 1, "<"))
        data = data[:-4] + struct.pack("<I", len(data)) + directory(t256=width, t257=width)
        assert abs(decoded(tmp_path, data).astype(int) - BYTES).max() <= 1


@pytest.mark.parametrize("packed", [False, True])
def test_a_tile_of_gigabytes_is_refused(tmp_path, packed):
    """However small the picture is that it is to cover."""
    tile = {"t322": 40_000, "t323": 40_000, "t324": 8, "t325": 64}
    with pytest.raises(Unusable, match="tiles of 40000 x 40000 pixels are more than"):
        decoded(tmp_path, tiff(bytes(64), packed=packed, **tile))


@pytest.mark.parametrize(("bits", "kind"), [(16, 3), (24, 3), (64, 1), (10, 1)])
def test_a_kind_that_is_not_read_is_called_one(tmp_path, bits, kind):
    """The reason is not that there is no picture."""
    with pytest.raises(Unusable, match="a kind of TIFF that cannot be read"):
        decoded(tmp_path, tiff(bytes(64 * bits // 8), bits=bits, kind=kind))


@pytest.mark.parametrize("orientation", [6, b"6\0"])
def test_mistyped_tags_leave_the_pixels_whole(tmp_path, orientation):
    """Also where the turning itself is said in another type; Pillow writes all tags and fails."""
    pixels = decoded(tmp_path, tiff(stored(8, 1, "<"), t274=orientation, t282=b"dpi"))
    assert abs(pixels.astype(int) - BYTES[:, None]).max() <= 1
