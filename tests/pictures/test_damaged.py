"""A damaged picture is refused exactly when Pillow's own strict loading refuses it."""

import io

import numpy as np
import pytest
from picture_files import decoded, scene, stored
from PIL import Image, PngImagePlugin

from shallowdeep.pictures.decoding import Unusable, quiet

PLACES = 30
SCENE = scene(36, 24)


def variant(form, mode="RGB", **options):
    return stored(SCENE.convert(mode), form, **options)


FILES = {
    "PNG": variant("PNG"),
    "PNG with a palette": variant("PNG", "P"),
    "PNG of 16 bits": variant("PNG", "I;16"),
    "PNG with transparency": variant("PNG", "RGBA"),
    "JPEG": variant("JPEG"),
    "progressive JPEG": variant("JPEG", progressive=True),
    "JPEG of four inks": variant("JPEG", "CMYK"),
    "TIFF": variant("TIFF"),
    "TIFF with LZW": variant("TIFF", compression="tiff_lzw"),
    "TIFF with deflate": variant("TIFF", compression="tiff_adobe_deflate"),
    "GIF": variant("GIF"),
    "WebP": variant("WEBP"),
    "lossless WebP": variant("WEBP", lossless=True),
    "animated WebP": variant("WEBP", save_all=True, append_images=[SCENE.rotate(180)]),
    "BMP": variant("BMP"),
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
    try:
        decoded(tmp_path, data)
    except Unusable as reason:
        assert str(reason).strip() and "\n" not in str(reason)
        return False
    return True


@pytest.mark.parametrize("name", FILES)
def test_our_answer_is_pillows(tmp_path, name):
    """Bytes at fixed places of a file of each format: flipped, cut off, overwritten or doubled."""
    data = FILES[name]
    assert strict(data) and accepted(tmp_path, data)
    places = np.linspace(0, len(data) - 1, PLACES).astype(int).tolist()
    damaged = [harm(data, at) for harm in HARM.values() for at in places]
    with quiet():
        ours = [accepted(tmp_path, one) for one in damaged]
        assert ours == [strict(one) for one in damaged]
    assert not all(ours)


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
    data = variant("PNG", pnginfo=text)
    ((start, end),) = chunks(data, b"tEXt")
    words = [HARM["flip"](data, at) for at in (start + 9, end - 5, end - 1)]  # and its checksum
    assert [(strict(one), accepted(tmp_path, one)) for one in words] == [(False, True)] * 3
    # A name that is none could be that of pixels.
    names = [data[:at] + b"\0" + data[at + 1 :] for at in range(start + 4, start + 8)]
    assert [(strict(one), accepted(tmp_path, one)) for one in names] == [(False, False)] * 4


@pytest.mark.parametrize("where", ["filter", "deflate", "Adler", "IHDR", "half"])
def test_a_png_of_half_a_picture_is_refused(tmp_path, where):
    """Whatever is wrong with its pixels; with EXIF behind them, which Pillow decodes to find."""
    data = variant("PNG", "L", compress_level=0)
    ((start, end),) = chunks(data, b"IDAT")
    at = {"filter": start + 8 + 7 + 12 * 37, "deflate": start + 10, "Adler": end - 5, "IHDR": 30}
    place = at.get(where, len(data) // 2)
    damaged = data[:place] + (b"" if where == "half" else b"\xfe" + data[place + 1 :])
    assert (strict(damaged), accepted(tmp_path, damaged)) == (False, False)
