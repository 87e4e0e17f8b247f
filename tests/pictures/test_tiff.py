"""Grey TIFF files mean what the format says, whatever stores them; previews are no pictures."""

import struct
import subprocess
from itertools import product

import numpy as np
import pytest
from picture_files import PACKED, decoded, stored, tiff
from PIL import Image
from remotes import tool

from shallowdeep.pictures.limits import Unusable

RAMP = np.array([[0, 0.2, 1 / 3, 0.4, 0.6, 0.8, 1, 1]] * 8)
BYTES = np.array([0, 51, 85, 102, 153, 204, 255, 255])
FINE = np.linspace(0, 65_535, 64).astype(np.uint16).reshape(8, 8)  # the low byte matters


def levels(bits, order="<"):
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
    """Up to 16 bits, both orders of bytes, black or white is 0.

    If 0 is white, `convert` of ImageMagick 6.9.11 gives the opposite for 8 bits, and `tiff2rgba` of
    libtiff 4.5.0 for 4 and 8.
    """
    how = {"order": order, "white_is_zero": white_is_zero, "packing": packing}
    pixels = decoded(tmp_path, tiff(levels(bits, order), bits=bits, **how)).pixels
    expected = np.rint(np.rint(RAMP[0] * (2**bits - 1)) / (2**bits - 1) * 255)
    assert abs(pixels - (255 - expected if white_is_zero else expected)).max() <= 1


def imagemagick(*arguments, **options):
    """What ImageMagick's `convert` writes to its output."""
    command = [tool("convert", "imagemagick"), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, **options).stdout


PILLOWS = ("tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "lzma", "zstd")
# Compressions of ImageMagick's, and the predictors that they take.
WRITTEN = {"None": [0], "RLE": [0], "LZW": [1, 2], "Zip": [1, 2], "LZMA": [0], "ZSTD": [1, 2]}


def sixteen_bits():
    """Grey of 16 bits in both orders of bytes, in all compressions that Pillow reads."""
    for compression in PILLOWS:
        yield compression, stored(Image.fromarray(FINE), "TIFF", compression=compression)
    for order, packing in product("<>", PACKED):
        data = FINE.astype(f"{order}u2").tobytes()
        yield f"{order} {packing}", tiff(data, bits=16, order=order, packing=packing)
    plain = tiff(FINE.tobytes(), bits=16)
    for endian, (compression, predictors) in product(("lsb", "msb"), WRITTEN.items()):
        for predictor in predictors:
            options = ["-define", f"tiff:endian={endian}", "-compress", compression]
            options += ["-define", f"tiff:predictor={predictor}"] if predictor else []
            yield " ".join(options), imagemagick("-", *options, "tiff:-", input=plain)


def test_grey_of_16_bits_has_imagemagicks_values(tmp_path):
    """The low byte rounds, it is not cut off; neither the order of bytes nor a predictor counts."""
    tested, paths = set(), []
    for name, data in sixteen_bits():
        paths.append(tmp_path / f"{len(paths)}.tif")
        paths[-1].write_bytes(data)
        assert np.array_equal(decoded(tmp_path, data).pixels[0], np.rint(FINE / 257)), name
        with Image.open(paths[-1]) as image:
            tested.add((image.tag_v2.prefix, image.tag_v2[259], image.tag_v2.get(317, 1)))
    read = imagemagick(*paths, "-depth", "16", "-endian", "LSB", "gray:-")
    assert read == FINE.astype("<u2").tobytes() * len(paths)
    both = set(product((b"II", b"MM"), (1, 5, 8, 32_773, 32_946)))
    assert both <= {(order, code) for order, code, _ in tested}
    assert {(b"II", 5, 2), (b"MM", 5, 2)} <= tested


def followed_by(data, width, length):
    """A file with the tags of a further picture behind it."""
    further = struct.pack("<HHHIIHHIII", 2, 256, 4, 1, width, 257, 4, 1, length, 0)
    return data[:-4] + struct.pack("<I", len(data)) + further


CONVERT = "; convert it to plain grey of 8 or 16 bits$"
NO_TAG = "without the tag that tells black from white; convert it"
PREVIEW = "its first picture, 8 x 8 pixels, is a preview"
GREY = [  # in both orders of bytes: bits, kind of sample, white is 0, and its name
    (12, 1, False, "^grey of 12 bits"),
    (32, 1, False, "^grey of 32 bits"),
    (64, 1, False, "^grey of 64 bits"),
    (16, 1, True, "^white-is-zero grey of 16 bits"),
    (8, 2, False, "^signed grey of 8 bits"),
    (16, 2, False, "^signed grey of 16 bits"),
    (16, 3, False, "^floating-point grey of 16 bits"),
    (32, 3, True, "^white-is-zero floating-point grey of 32 bits"),
    (64, 3, False, "^floating-point grey of 64 bits"),
]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        *(
            (tiff(bytes(8 * bits), bits=bits, kind=kind, order=order, white_is_zero=white), name)
            for (bits, kind, white, name), order in product(GREY, "<>")
        ),
        # Pillow takes 0 for white, libtiff for black.
        *((tiff(levels(bits), bits=bits, t262=None), NO_TAG) for bits in (1, 8, 16)),
        (tiff(bytes(64), t262=2), "a kind of TIFF that cannot be read"),
        # As a camera's raw file begins: flagged, also as old files do; before or beside a larger.
        (tiff(bytes(64), t254=1), PREVIEW),
        (tiff(bytes(64), t255=2), PREVIEW),
        (followed_by(tiff(bytes(64)), 600, 400), PREVIEW),
        (followed_by(tiff(bytes(64), t330=len(tiff(bytes(64), t330=1))), 600, 400), PREVIEW),
    ],
)
def test_what_is_read_in_other_levels_or_is_a_preview_is_refused_by_name(tmp_path, data, reason):
    """Grey that Pillow reads otherwise than meant, or not at all; a preview of another picture."""
    with pytest.raises(Unusable, match=reason + CONVERT * reason.startswith("^")):
        decoded(tmp_path, data)


def test_pages_and_thumbnails_are_no_reason(tmp_path):
    """The first of many pages, or a picture with its thumbnail behind it."""
    for width in (8, 2):
        pixels = decoded(tmp_path, followed_by(tiff(levels(8)), width, width)).pixels
        assert abs(pixels.astype(int) - BYTES).max() <= 1


@pytest.mark.parametrize("orientation", [6, b"6\0"])
def test_mistyped_tags_leave_the_pixels_whole(tmp_path, orientation):
    """Also where the turning itself is said in another type; Pillow writes all tags and fails."""
    pixels = decoded(tmp_path, tiff(levels(8), t274=orientation, t282=b"dpi")).pixels
    assert abs(pixels.astype(int) - BYTES[:, None]).max() <= 1
