"""A damaged picture is refused exactly when Pillow's own strict loading refuses it."""

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from shallowdeep.pictures.decoding import Unusable, decode, quiet

PLACES = 50


def stored(form, *, mode="RGB", **options):
    y, x = np.mgrid[0:24, 0:36]
    waves = 127 + 90 * np.stack([np.sin(x / 7 + k) * np.cos(y / 5 - k) for k in range(3)], axis=2)
    noise = np.random.default_rng(0).normal(0, 8, waves.shape)
    file = io.BytesIO()
    image = Image.fromarray(np.clip(waves + noise, 0, 255).astype(np.uint8))
    image.convert(mode).save(file, form, **options)
    return file.getvalue()


FILES = {
    "PNG": stored("PNG"),
    "PNG with a palette": stored("PNG", mode="P"),
    "PNG of 16 bits": stored("PNG", mode="I;16"),
    "JPEG": stored("JPEG"),
    "progressive JPEG": stored("JPEG", progressive=True),
    "TIFF": stored("TIFF"),
    "TIFF with LZW": stored("TIFF", compression="tiff_lzw"),
    "GIF": stored("GIF"),
    "WebP": stored("WEBP"),
    "lossless WebP": stored("WEBP", lossless=True),
    "BMP": stored("BMP"),
}
HARM = {
    "flip": lambda data, at: data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :],
    "cut": lambda data, at: data[:at],
    "zeros": lambda data, at: data[:at] + bytes(8) + data[at + 8 :],
    "splice": lambda data, at: data[:at] + data[at // 2 :],
}


def strict(data):
    """True if Pillow, asked once for all pixels, gives them."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except Exception:
        return False
    return True


def accepted(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    try:
        decode(tmp_path / "x", size=8, max_pixels=10**8)
    except Unusable as reason:
        assert str(reason).strip() and "\n" not in str(reason)
        return False
    return True


def outcomes(tmp_path, data):
    """Pillow's answer and ours, for each harm at each place."""
    places = np.linspace(0, len(data) - 1, PLACES).astype(int).tolist()
    damaged = [harm(data, at) for harm in HARM.values() for at in places]
    with quiet():
        return [(strict(one), accepted(tmp_path, one)) for one in damaged]


@pytest.mark.parametrize("name", FILES)
def test_our_answer_is_pillows(tmp_path, name):
    """Bytes at fixed places of a file of each format: flipped, cut off, overwritten or doubled."""
    data = FILES[name]
    assert strict(data) and accepted(tmp_path, data)
    found = outcomes(tmp_path, data)
    assert [ours for _, ours in found] == [pillow for pillow, _ in found]
    assert not all(ours for _, ours in found)


def chunks(data, kind):
    """Places of the chunks of a kind in a PNG file: of their first byte, and behind their last."""
    at = 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        if data[at + 4 : at + 8] == kind:
            yield at, end
        at = end


def test_text_that_pillow_refuses_and_libpng_skips_is_harmless(tmp_path):
    """The one kind of damage for which we take a file that Pillow refuses."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "a picture of nothing " * 9)
    data = stored("PNG", pnginfo=text)
    ((start, end),) = chunks(data, b"tEXt")
    for at in (start + 9, end - 5, end - 1):  # its words, the last of them, its checksum
        damaged = HARM["flip"](data, at)
        assert (strict(damaged), accepted(tmp_path, damaged)) == (False, True)
    for at in range(start + 4, start + 8):  # a name that is none could be that of pixels
        damaged = data[:at] + b"\0" + data[at + 1 :]
        assert (strict(damaged), accepted(tmp_path, damaged)) == (False, False)


@pytest.mark.parametrize("where", ["filter", "deflate", "Adler", "IHDR", "half"])
def test_a_png_of_half_a_picture_is_refused(tmp_path, where):
    """Whatever is wrong with its pixels; with EXIF behind them, which Pillow decodes to find."""
    data = stored("PNG", mode="L", compress_level=0)
    ((start, end),) = chunks(data, b"IDAT")
    at = {"filter": start + 8 + 7 + 12 * 37, "deflate": start + 10, "Adler": end - 5, "IHDR": 30}
    place = at.get(where, len(data) // 2)
    damaged = data[:place] + (b"" if where == "half" else b"\xfe" + data[place + 1 :])
    assert (strict(damaged), accepted(tmp_path, damaged)) == (False, False)
