"""A file of whatever size and content costs seconds: what would take more is refused unread."""

import os
import struct

import pytest
from picture_files import PNG, chunk, decoded, stored, tiff
from PIL import Image

from shallowdeep.pictures.decoding import decode
from shallowdeep.pictures.limits import Unusable


def of_scans(width, height, count):
    """A progressive JPEG file whose last scan is repeated."""
    data = stored(Image.new("L", (width, height)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    count -= data[:last].count(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def of_run_lengths(width, height, body):
    """A BMP file of 8 bits and run lengths."""
    offset = 14 + 40 + 1_024
    head = struct.pack("<IHHI", offset + len(body), 0, 0, offset)
    about = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
    return b"BM" + head + about + bytes(1_024) + body


def of_chunks(count):
    """A WebP file with empty chunks behind its picture."""
    exif = b"Exif\0\0II*\0\x08\0\0\0" + bytes(6)
    data = stored(Image.new("RGB", (4, 4)), "WEBP", exif=exif)
    return data[:4] + struct.pack("<I", len(data) + 8 * count - 8) + data[8:] + bytes(8 * count)


GIF = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0)
JPEG = stored(Image.new("RGB", (8, 8)), "JPEG")
SCANS = of_scans(90, 90, 90).replace(b"\0\x5a\0\x5a", struct.pack(">HH", 9_000, 9_000))
TAGS = {f"t{40_000 + i}": (7, 10**6, 8) for i in range(69)}
COSTLY = {
    "scans over all pixels": (SCANS, "90 scans of 81,000,000 pixels are more"),
    "scans in a TIFF file": (tiff(SCANS, t256=9_000, t257=9_000, t259=7, t278=9_000), "90 scans"),
    "many scans": (of_scans(48, 32, 101), "101 scans are more than 100"),
    "markers": (JPEG[:2] + b"\xff\xe0\0\2" * 10**4 + JPEG[2:], "more than 10,000 markers"),
    "bare markers": (JPEG[:2] + b"\xff\xd0" * 10**4 + JPEG[2:], "more than 10,000 markers"),
    "comments of a GIF file": (GIF + b"!\xfe" + b"\1a" * 10**5, "more than 100,000 blocks"),
    "rubbish in a GIF file": (GIF + b"x" * 10**5, "more than 100,000 blocks"),
    "chunks of a WebP file": (of_chunks(10**5), "more than 100,000 chunks"),
    "chunks of a PNG file": (PNG + chunk(b"tEXt", b"A\0") * 10**5, "more than 100,000 chunks"),
    "rows of run lengths": (of_run_lengths(9_900, 9_900, b"\1\0\0\0" * 9_900), "run lengths: 98,0"),
    "empty rows": (of_run_lengths(9, 9, bytes(2**24)), "pixels and bytes, more than 16,777,216"),
    "tags": (tiff(bytes(10**6), **TAGS), "damaged: tags of 69,0"),
    "places": (tiff(bytes(5 * 10**6), t273=(4, 5 * 10**6 // 4, 8)), "damaged: tags of 5,000,"),
    "a tile": (tiff(bytes(64), t322=5_000, t323=5_000, t324=8, t325=64), "tiles of 5000 x 5000"),
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_file_is_refused_unread(tmp_path, name):
    """Small ones too, with the limit; each would take from 4 to hundreds of seconds."""
    data, reason = COSTLY[name]
    with pytest.raises(Unusable, match=reason):
        decoded(tmp_path, data)


def test_usual_files_are_within_the_limits(tmp_path):
    """The scans that encoders write, pictures in run lengths, an animation's frames."""
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")] * 50
    for data in (
        of_scans(480, 320, 20),
        stored(frames[0], "JPEG", progressive=True),
        of_run_lengths(4, 4, b"\4\1\0\0" * 4),
        stored(frames[0], "GIF", save_all=True, append_images=frames, comment=b"x" * 2_000),
        stored(frames[0], "WEBP", save_all=True, append_images=frames),
        stored(Image.new("RGB", (900, 600)), "TIFF", compression="jpeg"),
    ):
        assert decoded(tmp_path, data, max_pixels=900 * 600).pixels.shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("data", "size", "limit"),
    [
        (JPEG, 2**29 + 1, "^536,870,913 bytes are more than 536,870,912$"),
        (of_chunks(1), 2**27 + 1, "^134,217,729 bytes are more than 134,217,728 of a WebP file$"),
    ],
)
def test_a_sparse_file_is_not_read(tmp_path, data, size, limit):
    """One of gigabytes that begins as a picture does."""
    (tmp_path / "x").write_bytes(data)
    os.truncate(tmp_path / "x", size)
    with pytest.raises(Unusable, match=limit):
        decode(tmp_path / "x", size=8, max_pixels=10**8)
