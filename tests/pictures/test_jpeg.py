"""JPEG files: what their markers say, wherever it stands, and what they only pretend."""

import struct

import numpy as np
import pytest
from picture_files import decoded, stored
from PIL import Image

from shallowdeep.pictures import jpeg
from shallowdeep.pictures.limits import Unusable


def shaded(width=48, height=32, **options):
    """Dark above, bright below, as a baseline file."""
    values = np.repeat(np.linspace(20, 230, height).astype(np.uint8)[:, None], width, axis=1)
    return stored(Image.fromarray(values).convert("RGB"), "JPEG", **options)


def exif(**tags: tuple[int, bytes]):
    """An APP1 segment; each tag is a type and four bytes of value."""
    entries = b"".join(
        struct.pack("<HHI", int(tag[1:]), kind, 1 if kind != 2 else len(value.rstrip(b"\0")) + 1)
        + value.ljust(4, b"\0")
        for tag, (kind, value) in tags.items()
    )
    block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block


TURNED = {"t274": (3, b"\x06\0")}


@pytest.mark.parametrize("before", [b"\xff\xdb", b"\xff\xc0", b"\xff\xc4", b"\xff\xda"])
@pytest.mark.parametrize("progressive", [False, True])
def test_exif_is_read_wherever_it_stands(tmp_path, before, progressive):
    """Before the tables, before the frame, after it: the same upright picture."""
    data = shaded(progressive=progressive)
    before = b"\xff\xc2" if progressive and before == b"\xff\xc0" else before
    at = data.index(before)
    pixels, *size = decoded(tmp_path, data[:at] + exif(**TURNED) + data[at:])
    assert size == [32, 48]
    assert (pixels[0, :, 0] > pixels[0, :, -1]).all()  # what was below is left


@pytest.mark.parametrize(
    ("tags", "size"),
    [
        (TURNED | {"t282": (2, b"72")}, (32, 48)),
        (TURNED | {"t271": (5, b"\xff\xff\xff\xff")}, (32, 48)),
        (TURNED | {"t306": (12, b"\x01\0\0\0")}, (32, 48)),
        ({"t274": (4, b"\x06")}, (32, 48)),
        ({"t274": (1, b"\x06")}, (32, 48)),
        ({"t274": (2, b"6")}, (32, 48)),
        ({"t274": (9, b"\x06")}, (32, 48)),
        ({"t274": (3, b"\0")}, (48, 32)),
        ({"t274": (3, b"\x09")}, (48, 32)),
        ({"t274": (2, b"up")}, (48, 32)),
        ({"t274": (5, b"\xff\xff\xff\xff")}, (48, 32)),
    ],
)
def test_a_mistyped_tag_leaves_the_picture_whole_and_upright(tmp_path, tags, size):
    """The orientation or another; one that is none (out of range, words, nowhere) turns nothing."""
    data = shaded()
    assert decoded(tmp_path, data[:2] + exif(**tags) + data[2:])[1:] == size


BARE = [b"\xff\xd0", b"\xff\xd7", b"\xff\x01", b"\xff", b"\xff" * 9, b"\xff\xd0\xff", b"\xff\xd8"]


@pytest.mark.parametrize("bare", BARE)
def test_a_planted_header_hides_no_size(tmp_path, bare):
    """After a marker without a length, or fill bytes, whatever a parser would take for a length."""
    tiny = shaded(1, 1)
    planted = tiny[2 : tiny.index(b"\xff\xda") + 2]
    large = shaded(200, 100)
    for length in (0xFFDB, 0xFFFE, 0xE000):
        comment = b"\xff\xfe" + struct.pack(">H", 65_000) + bytes(64_998)
        hidden = comment + comment[: length - len(comment)] + planted
        for data in (large[:2] + bare + hidden + large[2:], large[:2] + bare + large[2:]):
            with pytest.raises(Unusable, match=r"200 x 100 pixels are more than|damaged|truncated"):
                decoded(tmp_path, data, max_pixels=1_000)


def test_only_a_baseline_file_without_more_is_plain():
    """Anything else gets a closer look; the decoder's own word is the file's size."""
    data = shaded()
    assert jpeg.plain_size(data) == jpeg.size(data) == (48, 32)
    assert jpeg.size(shaded(progressive=True)) == (48, 32)
    assert jpeg.size(data[:30]) is None
    others = [shaded(progressive=True), data[:2] + exif(**TURNED) + data[2:]]
    others += [data[:2] + bare + data[2:] for bare in BARE]
    others += [data[:at] for at in range(2, data.index(b"\xff\xda"), 7)]
    assert {jpeg.plain_size(other) for other in others} == {None}
