"""A picture comes out the same, however it was stored; what is no picture is refused."""

import contextlib
import hashlib
import io
import os
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from picture_files import decoded, png, scene, stored
from PIL import ExifTags, Image

from shallowdeep.pictures import decoding, jpeg
from shallowdeep.pictures.decoding import FORMATS, Unusable, decode, quiet

COLOUR = (200, 100, 50)
OF_ALL = np.array(COLOUR, dtype=float).reshape(3, 1, 1)
PLAIN = Image.new("RGB", (30, 20), COLOUR)

HASH = """
import hashlib, sys
from pathlib import Path
from shallowdeep.pictures.decoding import decode
digest = hashlib.sha256()
for path in sorted(Path(sys.argv[1]).iterdir()):
    for size in (1, 8, 128):
        digest.update(decode(path, size=size, max_pixels=10**8).pixels.tobytes())
print(digest.hexdigest())
"""


@pytest.mark.parametrize("form", FORMATS)
def test_the_content_decides_not_the_name(tmp_path, monkeypatch, form):
    """Every format is read from a file whose name says something else.

    One that is not read in one piece (it is larger than the limit, or a network file system
    returned less than asked) is the same picture.
    """
    path = tmp_path / "notes.txt"
    path.write_bytes(stored(PLAIN, form))
    pixels, width, height = decode(path, size=8, max_pixels=10**8)
    monkeypatch.setattr(decoding, "IN_ONE_PIECE", path.stat().st_size - 1)
    assert np.array_equal(decode(path, size=8, max_pixels=10**8).pixels, pixels)
    assert (pixels.shape, pixels.dtype, width, height) == ((3, 8, 8), np.uint8, 30, 20)
    assert abs(pixels - OF_ALL).max() <= (4 if form in ("JPEG", "WEBP") else 0)


PALETTE, CLEAR = PLAIN.quantize(4), PLAIN.quantize(4)
CLEAR.info["transparency"] = 0


@pytest.mark.parametrize(
    ("image", "form", "expected"),
    [
        (Image.new("L", (30, 20), 77), "PNG", (77, 77, 77)),
        (Image.new("1", (30, 20), 1), "TIFF", (255, 255, 255)),
        (PALETTE, "PNG", COLOUR),
        (PALETTE, "GIF", COLOUR),
        (Image.new("RGBA", (30, 20), (*COLOUR, 255)), "PNG", COLOUR),
        (Image.new("RGBA", (30, 20), (0, 0, 0, 51)), "PNG", (204, 204, 204)),
        (Image.new("LA", (30, 20), (0, 0)), "PNG", (255, 255, 255)),
        (CLEAR, "PNG", (255, 255, 255)),
        (Image.new("CMYK", (30, 20), (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
        (Image.new("CMYK", (30, 20), (0, 255, 255, 0)), "JPEG", (255, 0, 0)),
        (Image.fromarray(np.full((20, 30), 257 * 90, np.uint16)), "PNG", (90, 90, 90)),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, image, form, expected):
    """Sixteen bits are scaled, not cut off; what is transparent shows white."""
    pixels = decoded(tmp_path, stored(image, form)).pixels
    assert abs(pixels - np.array(expected, dtype=float).reshape(3, 1, 1)).max() <= 1


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path, form, orientation):
    """Whatever the camera noted, the same scene comes out, with its upright size."""
    upright = scene(96, 64)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that Pillow undoes
    turned = upright.transpose(Image.Transpose(undo[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels, width, height = decoded(tmp_path, stored(turned, form, exif=exif.tobytes()), size=32)
    assert (width, height) == (96, 64)
    expected = decoded(tmp_path, stored(upright, "PNG"), size=32).pixels
    assert abs(pixels.astype(int) - expected).mean() < 6


def triangle(n_in, n_out):
    """Weights of antialiased bilinear resizing [n_out, n_in], in floating point."""
    scale = max(n_in / n_out, 1)
    centres = (np.arange(n_out)[:, None] + 0.5) * n_in / n_out
    distance = abs(np.arange(n_in) + 0.5 - centres) / scale
    weights = np.clip(1 - distance, 0, None)
    return weights / weights.sum(1, keepdims=True)


SHAPES = [(500, 375, 128), (97, 301, 64), (20, 9, 32), (1, 1, 16), (1, 900, 8), (700, 1, 8)]
SHAPES += [(64, 50, 1)]


@pytest.mark.parametrize(("width", "height", "size"), SHAPES)
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_resizing_is_antialiased_bilinear(tmp_path, width, height, size, form):
    """Within one grey level of the filter computed in float64."""
    data = stored(scene(width, height), form)
    channels = np.asarray(Image.open(io.BytesIO(data)), dtype=float).transpose(2, 0, 1)
    exact = triangle(height, size) @ channels @ triangle(width, size).T
    assert abs(decoded(tmp_path, data, size=size).pixels - exact).max() <= 1.01


def test_instruction_sets_change_no_bit(tmp_path, capsys, monkeypatch):
    """The same hash with AVX2, where there is it, and with none of it."""
    rng = np.random.default_rng(0)
    for i, (width, height) in enumerate(np.exp(rng.uniform(0, 6, (30, 2))).astype(int)):
        form = ("PNG", "JPEG")[i % 2]
        (tmp_path / f"{i}").write_bytes(stored(scene(width, height, seed=i), form))
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path)])
    exec(HASH, {})
    without = {"ATEN_CPU_CAPABILITY": "default", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-c", HASH, str(tmp_path)]
    found = subprocess.run(command, env=os.environ | without, stdout=subprocess.PIPE, check=True)
    assert found.stdout.decode() == capsys.readouterr().out


def jpegs():
    image, exif = scene(211, 131), Image.Exif()
    exif[ExifTags.Base.Make] = "a camera that was held upright"
    restarts = {"quality": 20, "restart_marker_blocks": 3}
    finest = {"subsampling": 0, "quality": 95}
    for options in (
        {},
        {"progressive": True},
        restarts,
        finest,
        {"keep_rgb": True},
        {"exif": exif},
    ):
        yield stored(image, "JPEG", **options)
    yield from (stored(image.convert(mode), "JPEG") for mode in ("L", "CMYK"))


def damaged(data, number):
    rng, broken = np.random.default_rng(number), bytearray(data)
    for at in rng.integers(2, len(data), 8):
        broken[at] = rng.integers(256)
    return bytes(broken[: rng.integers(2, len(data))] if number % 3 == 0 else broken)


def test_both_jpeg_decoders_do_the_same(tmp_path, monkeypatch):
    """The faster one and Pillow's: equal pixels, equal refusals, damaged or not."""
    files = [data for whole in jpegs() for data in (whole, *(damaged(whole, i) for i in range(20)))]

    def outcomes():
        for data in files:
            try:
                pixels, width, height = decoded(tmp_path, data, size=64)
                yield hashlib.sha256(pixels.tobytes()).hexdigest(), width, height
            except Unusable as reason:
                yield str(reason)

    assert all(jpeg.pixels(whole) is not None for whole in list(jpegs())[:-1])  # but CMYK
    with quiet():
        fast = list(outcomes())
        monkeypatch.setattr(jpeg, "pixels", lambda _data: None)
        assert fast == list(outcomes())
    assert 20 < sum(isinstance(outcome, str) for outcome in fast) < len(files) - 20


def test_decoders_do_not_write_to_the_terminal(tmp_path, capfd):
    """Libjpeg's own remarks on damaged data, Python's warnings; only the progress bar passes."""
    whole = stored(scene(300, 200), "JPEG")
    with quiet() as stderr:
        for number in range(40):
            with contextlib.suppress(Unusable):
                decoded(tmp_path, damaged(whole, number))
        warnings.warn("odd", stacklevel=1)
        os.write(2, b"past Python\n")
        print("bar", file=stderr)
    os.write(2, b"after\n")
    assert capfd.readouterr() == ("", "bar\nafter\n")


def box(*brands):
    """The first box of a file of ISO/IEC 14496-12."""
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return (4 + len(body)).to_bytes(4) + body + bytes(100)


BOMB = zlib.compress(bytes(500_000))  # 1 kB


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "^empty file$"),
        (b"no picture, only words\n", "^no picture in one of the formats JPEG, PNG, WEBP, GIF"),
        (stored(PLAIN, "PPM"), "no picture in one of the formats"),
        (png(60_000, 60_000, BOMB), "60000 x 60000 pixels are more than data.max_pixels 100000000"),
        (png(100_000_000, 1, BOMB), "100000000 x 1 pixels are more than 65535 along a side"),
        (png(1, 10_000_000, BOMB), "1 x 10000000 pixels are more than 65535 along a side"),
        (png(3, 3_001, BOMB), "3 x 3001 pixels are more than 1000 times as long as wide"),
        (stored(PLAIN, "WEBP")[:20], "^damaged$"),
        (stored(PLAIN, "GIF")[:9], "^damaged$"),
        (box(b"heic", b"mif1"), "^HEIC; convert it to JPEG or PNG$"),
        (box(b"mif1", b"avif", b"heic"), "^AVIF; convert it to JPEG or PNG$"),
        (box(b"qt  "), "^a MOV film; take a frame of it as JPEG or PNG$"),
        (bytes(4) + b"wide" + bytes(90), "^a MOV film; take"),
        (box(b"isom", b"mp41"), "^an MP4 film; take"),
        (b"RIFF\0\0\0\0AVI LIST", "^an AVI film; take"),
        (stored(PLAIN, "JPEG2000"), "^JPEG 2000; convert it"),
        (stored(PLAIN, "ICO"), "^an icon; convert it"),
        (stored(PLAIN, "PDF"), "^a PDF file; convert it"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "`git lfs pull` brings"),
        (b"\n<!DOCTYPE html>\n<html>404", "^an HTML page; download the picture itself$"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "^SVG, a drawing; convert it"),
        (b"PK\3\4" + bytes(99), "^a ZIP archive; unpack it$"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path, data, reason):
    """With the reason and what to do; a bomb is not even decoded."""
    with pytest.raises(Unusable, match=reason):
        decoded(tmp_path, data)


def test_what_is_no_file_is_refused(tmp_path):
    """A folder, a pipe that nobody writes to, a link to nothing or to itself: no waiting."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for name, reason in (
        (".", "not an ordinary file"),
        ("pipe", "not an ordinary file"),
        ("gone", "cannot be read: No such file or directory"),
        ("loop", "cannot be read: Too many levels of symbolic links"),
    ):
        with pytest.raises(Unusable, match=reason):
            decode(tmp_path / name, size=8, max_pixels=10**8)
