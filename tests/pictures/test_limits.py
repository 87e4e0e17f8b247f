"""A file of whatever size and content costs seconds: what would take more is refused unread."""

import struct
import time

import pytest
from picture_files import decoded, stored, tiff
from PIL import Image

from shallowdeep.pictures.decoding import decode
from shallowdeep.pictures.limits import MOST_BYTES, Unusable

LONGEST = 1.0  # seconds of a core for any of these; each would take from 4 to hundreds


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


def of_jpeg_strips(data, width, length):
    return tiff(data, bits=8, t256=width, t257=length, t259=7, t278=length)


GIF = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0)
JPEG = stored(Image.new("RGB", (8, 8)), "JPEG")
COSTLY = {
    "scans over all pixels": (of_scans(9_000, 9_000, 90), "90 scans of 81,000,000 pixels are more"),
    "scans in a TIFF file": (of_jpeg_strips(of_scans(9_000, 9_000, 90), 9_000, 9_000), "90 scans"),
    "many scans": (of_scans(48, 32, 1_200), "1,200 scans are more than 100"),
    "markers": (JPEG[:2] + b"\xff\xe0\0\2" * 10**6 + JPEG[2:], "more than 10,000 markers"),
    "bare markers": (JPEG[:2] + b"\xff\xd0" * 10**6 + JPEG[2:], "more than 10,000 markers"),
    "comments of a GIF file": (GIF + b"!\xfe" + b"\1a" * 10**6, "more than 100,000 blocks"),
    "rubbish in a GIF file": (GIF + b"x" * 10**6, "more than 100,000 blocks"),
    "chunks of a WebP file": (of_chunks(10**6), "more than 100,000 chunks"),
    "rows of run lengths": (of_run_lengths(9_900, 9_900, b"\1\0\0\0" * 9_900), "run lengths: 98,0"),
    "empty rows": (of_run_lengths(9, 9, bytes(2**25)), "pixels and bytes, more than 16,777,216"),
    "tags": (tiff(bytes(10**6), **{f"t{40_000 + i}": (7, 10**6, 8) for i in range(99)}), "damaged"),
    "places": (tiff(bytes(10**7), t273=(4, 10**7 // 4, 8)), "damaged: tags of 10,000,"),
    "a tile": (
        tiff(bytes(64), t322=40_000, t323=40_000, t324=8, t325=64),
        "tiles of 40000 x 40000",
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_file_is_refused_unread(tmp_path, name):
    """Small ones too, with the limit."""
    data, reason = COSTLY[name]
    start = time.process_time()
    with pytest.raises(Unusable, match=reason):
        decoded(tmp_path, data)
    assert time.process_time() - start < LONGEST


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


def test_a_sparse_file_is_not_read(tmp_path):
    """Two gigabytes that begin as a picture does."""
    for data, size, limit in (
        (JPEG, 2**31, f"^2,147,483,648 bytes are more than {MOST_BYTES:,}$"),
        (of_chunks(1), 5 * 10**8, "^500,000,000 bytes are more than 134,217,728 of a WebP file$"),
    ):
        (tmp_path / "x").write_bytes(data)
        with (tmp_path / "x").open("r+b") as file:
            file.truncate(size)
        with pytest.raises(Unusable, match=limit):
            decode(tmp_path / "x", size=8, max_pixels=10**8)
