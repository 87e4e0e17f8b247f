"""Grey TIFF files mean what the format says, whatever stores them; previews are no pictures."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from shallowdeep.pictures.decoding import decode
from shallowdeep.pictures.limits import Unusable

RAMP = np.array([[0, 0.2, 1 / 3, 0.4, 0.6, 0.8, 1, 1]] * 8)
# `convert FILE -depth 8 gray:-` (ImageMagick 6.9.11) gives these if 0 is black; if 0 is white the
# opposite for 8 bits, and so does `tiff2rgba` (libtiff 4.5.0) for 4 and 8.
BYTES = np.array([0, 51, 85, 102, 153, 204, 255, 255])
KINDS = {"B": 1, "H": 3, "I": 4}  # of tags
PACKED = {  # compression tag, and how a strip is packed
    "raw": (1, bytes),
    "deflate": (8, zlib.compress),
    "PackBits": (32_773, lambda data: b"".join(b"\0" + data[i : i + 1] for i in range(len(data)))),
}


def tiff(data, *, order="<", bits=8, kind=1, white_is_zero=False, packing="raw", **tags):
    """A file of one strip, 8 x 8 grey values unless `tags` says otherwise; t262=None leaves out."""
    compression, pack = PACKED[packing]
    content = pack(data)
    numbers = {256: 8, 257: 8, 258: bits, 259: compression, 262: 0 if white_is_zero else 1}
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


def stored(bits, order="<"):
    """The ramp as unsigned grey values."""
    values = np.rint(RAMP * (2**bits - 1)).astype(np.uint64)
    if bits == 16:
        return values.astype(f"{order}u2").tobytes()
    digits = "".join(f"{value:0{bits}b}" for value in values.ravel())
    return int(digits, 2).to_bytes(len(digits) // 8)


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("bits", "white_is_zero"),
    [*((bits, white) for bits in (1, 2, 4, 8) for white in (False, True)), (16, False)],
)
def test_unsigned_grey(tmp_path, bits, white_is_zero, order, packing):
    """Up to 16 bits, both orders of bytes, black or white is 0."""
    how = {"order": order, "white_is_zero": white_is_zero, "packing": packing}
    pixels = decoded(tmp_path, tiff(stored(bits, order), bits=bits, **how))
    expected = np.rint(np.rint(RAMP[0] * (2**bits - 1)) / (2**bits - 1) * 255)
    assert abs(pixels - (255 - expected if white_is_zero else expected)).max() <= 1


@pytest.mark.parametrize(
    "compression", ["tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "lzma", "zstd"]
)
def test_grey_of_16_bits_in_every_compression(tmp_path, compression):
    """Each that Pillow can write; the low byte rounds, it is not cut off."""
    values = np.rint(RAMP * 65_535).astype(np.uint16)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF", compression=compression)
    assert abs(decoded(tmp_path, file.getvalue()).astype(int) - BYTES).max() <= 1


@pytest.mark.parametrize(
    ("bits", "kind", "white_is_zero", "name"),
    [
        (12, 1, False, "grey of 12 bits"),
        (32, 1, False, "grey of 32 bits"),
        (64, 1, False, "grey of 64 bits"),
        (16, 1, True, "white-is-zero grey of 16 bits"),
        (8, 2, False, "signed grey of 8 bits"),
        (16, 2, False, "signed grey of 16 bits"),
        (16, 3, False, "floating-point grey of 16 bits"),
        (32, 3, True, "white-is-zero floating-point grey of 32 bits"),
        (64, 3, False, "floating-point grey of 64 bits"),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_other_grey_is_rejected_by_name(tmp_path, bits, kind, white_is_zero, name, order):
    """Pillow reads it in other levels than meant, or not at all."""
    data = tiff(bytes(8 * bits), bits=bits, kind=kind, order=order, white_is_zero=white_is_zero)
    with pytest.raises(Unusable, match=f"^{name}; convert it to plain grey of 8 or 16 bits$"):
        decoded(tmp_path, data)


@pytest.mark.parametrize("bits", [1, 8, 16])
def test_grey_that_does_not_tell_black_from_white_is_rejected(tmp_path, bits):
    """Pillow takes 0 for white, libtiff for black."""
    with pytest.raises(Unusable, match="without the tag that tells black from white; convert it"):
        decoded(tmp_path, tiff(stored(bits), bits=bits, t262=None))


def test_a_kind_that_is_not_read_is_called_one(tmp_path):
    """The reason is not that there is no picture."""
    with pytest.raises(Unusable, match="a kind of TIFF that cannot be read"):
        decoded(tmp_path, tiff(bytes(64), t262=2))


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
        data = tiff(stored(8))
        data = data[:-4] + struct.pack("<I", len(data)) + directory(t256=width, t257=width)
        assert abs(decoded(tmp_path, data).astype(int) - BYTES).max() <= 1


@pytest.mark.parametrize("packing", ["raw", "deflate"])
def test_a_tile_of_gigabytes_is_refused(tmp_path, packing):
    """However small the picture is that it is to cover."""
    tile = {"t322": 40_000, "t323": 40_000, "t324": 8, "t325": 64}
    with pytest.raises(Unusable, match="tiles of 40000 x 40000 pixels are more than"):
        decoded(tmp_path, tiff(bytes(64), packing=packing, **tile))


@pytest.mark.parametrize("orientation", [6, b"6\0"])
def test_mistyped_tags_leave_the_pixels_whole(tmp_path, orientation):
    """Also where the turning itself is said in another type; Pillow writes all tags and fails."""
    pixels = decoded(tmp_path, tiff(stored(8), t274=orientation, t282=b"dpi"))
    assert abs(pixels.astype(int) - BYTES[:, None]).max() <= 1
