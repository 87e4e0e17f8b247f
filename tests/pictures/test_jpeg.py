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


def exif(*tags: tuple[int, int, bytes]):
    """An APP1 segment; each tag is a number, a type and four bytes of value."""
    counted = [(*tag, len(tag[2]) + 1 if tag[1] == 2 else 1) for tag in tags]
    entries = b"".join(struct.pack("<HHI4s", *one, n, value) for *one, value, n in counted)
    block = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block


TURNED, UPRIGHT, LEFT = (274, 3, b"\x06\0"), (48, 32), (32, 48)


@pytest.mark.parametrize("before", [b"\xff\xdb", b"\xff\xc0", b"\xff\xc4", b"\xff\xda"])
@pytest.mark.parametrize("progressive", [False, True])
def test_exif_is_read_wherever_it_stands(tmp_path, before, progressive):
    """Before the tables, before the frame, after it: the same upright picture."""
    data = shaded(progressive=progressive)
    before = b"\xff\xc2" if progressive and before == b"\xff\xc0" else before
    at = data.index(before)
    pixels, *size = decoded(tmp_path, data[:at] + exif(TURNED) + data[at:])
    assert tuple(size) == LEFT
    assert (pixels[0, :, 0] > pixels[0, :, -1]).all()  # what was below is left


@pytest.mark.parametrize(
    ("tags", "size"),
    [
        ([TURNED, (282, 2, b"72")], LEFT),
        ([TURNED, (271, 5, b"\xff\xff\xff\xff")], LEFT),
        ([TURNED, (306, 12, b"\x01\0\0\0")], LEFT),
        *(([(274, kind, b"\x06")], LEFT) for kind in (4, 1, 9)),
        ([(274, 2, b"6")], LEFT),
        *(([(274, 3, value)], UPRIGHT) for value in (b"\0", b"\x09")),
        *(([(274, *tag)], UPRIGHT) for tag in ((2, b"up"), (5, b"\xff\xff\xff\xff"))),
    ],
)
def test_a_mistyped_tag_leaves_the_picture_whole_and_upright(tmp_path, tags, size):
    """The orientation or another; one that is none (out of range, words, nowhere) turns nothing."""
    data = shaded()
    assert decoded(tmp_path, data[:2] + exif(*tags) + data[2:])[1:] == size


BARE = [b"\xff\xd0", b"\xff\xd7", b"\xff\x01", b"\xff", b"\xff" * 9, b"\xff\xd0\xff", b"\xff\xd8"]


@pytest.mark.parametrize("bare", BARE)
def test_a_planted_header_hides_no_size(tmp_path, bare):
    """After a marker without a length, or fill bytes, whatever a parser would take for a length."""
    tiny, large = shaded(1, 1), shaded(200, 100)
    planted = tiny[2 : tiny.index(b"\xff\xda") + 2]
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
    others = [shaded(progressive=True), data[:2] + exif(TURNED) + data[2:]]
    others += [data[:2] + bare + data[2:] for bare in BARE]
    others += [data[:at] for at in range(2, data.index(b"\xff\xda"), 7)]
    assert {jpeg.plain_size(other) for other in others} == {None}
