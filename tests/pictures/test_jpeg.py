"""JPEG files: what their markers say, wherever it stands, and what they only pretend."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from shallowdeep.pictures import jpeg
from shallowdeep.pictures.decoding import decode
from shallowdeep.pictures.limits import MOST_BYTES, Unusable


def stored(width=48, height=32, **options):
    """Dark above, bright below, as a baseline file."""
    values = np.repeat(np.linspace(20, 230, height).astype(np.uint8)[:, None], width, axis=1)
    file = io.BytesIO()
    Image.fromarray(values).convert("RGB").save(file, "JPEG", **options)
    return file.getvalue()


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


def decoded(tmp_path, data, *, max_pixels=10**8):
    (tmp_path / "x").write_bytes(data)
    return decode(tmp_path / "x", size=8, max_pixels=max_pixels)


@pytest.mark.parametrize("before", [b"\xff\xdb", b"\xff\xc0", b"\xff\xc4", b"\xff\xda"])
@pytest.mark.parametrize("progressive", [False, True])
def test_exif_is_read_wherever_it_stands(tmp_path, before, progressive):
    """Before the tables, before the frame, after it: the same upright picture."""
    data = stored(progressive=progressive)
    before = b"\xff\xc2" if progressive and before == b"\xff\xc0" else before
    at = data.index(before)
    picture = decoded(tmp_path, data[:at] + exif(**TURNED) + data[at:])
    assert (picture.width, picture.height) == (32, 48)
    rows = picture.pixels[0].astype(int)
    assert (rows[:, 0] > rows[:, -1]).all()  # what was below is left


@pytest.mark.parametrize(
    "tags",
    [
        TURNED | {"t282": (2, b"72")},
        TURNED | {"t271": (5, b"\xff\xff\xff\xff")},
        TURNED | {"t306": (12, b"\x01\0\0\0")},
        {"t274": (4, b"\x06")},
        {"t274": (1, b"\x06")},
        {"t274": (2, b"6")},
        {"t274": (9, b"\x06")},
    ],
)
def test_a_mistyped_tag_leaves_the_picture_whole_and_upright(tmp_path, tags):
    """The turning or another: only what it says counts."""
    data = stored()
    picture = decoded(tmp_path, data[:2] + exif(**tags) + data[2:])
    assert (picture.width, picture.height) == (32, 48)


@pytest.mark.parametrize("value", [(3, b"\0"), (3, b"\x09"), (2, b"up"), (5, b"\xff\xff\xff\xff")])
def test_a_turning_that_is_none_turns_nothing(tmp_path, value):
    """Out of range, words, a fraction that is nowhere."""
    data = stored()
    picture = decoded(tmp_path, data[:2] + exif(t274=value) + data[2:])
    assert (picture.width, picture.height) == (48, 32)


BARE = [b"\xff\xd0", b"\xff\xd7", b"\xff\x01", b"\xff", b"\xff" * 9, b"\xff\xd0\xff", b"\xff\xd8"]


@pytest.mark.parametrize("bare", BARE)
def test_a_planted_header_hides_no_size(tmp_path, bare):
    """After a marker without a length, or fill bytes, whatever a parser would take for a length."""
    tiny = stored(1, 1)
    planted = tiny[2 : tiny.index(b"\xff\xda") + 2]
    large = stored(200, 100)
    for length in (0xFFDB, 0xFFFE, 0xE000):
        comment = b"\xff\xfe" + struct.pack(">H", 65_000) + bytes(64_998)
        hidden = comment + comment[: length - len(comment)] + planted
        data = large[:2] + bare + hidden[:2] + hidden[2:] + large[2:]
        with pytest.raises(Unusable, match=r"200 x 100 pixels are more than|damaged|truncated"):
            decoded(tmp_path, data, max_pixels=1_000)
        plain = large[:2] + bare + large[2:]
        with pytest.raises(Unusable, match=r"200 x 100 pixels are more than|damaged"):
            decoded(tmp_path, plain, max_pixels=1_000)


@pytest.mark.parametrize("data", [stored(), stored(progressive=True), stored(48, 32, quality=5)])
def test_the_decoders_own_word_on_the_size_counts(data):
    """Which is that of the file; none of what is no JPEG file."""
    assert jpeg.size(data) == (48, 32)
    assert jpeg.size(data[:30]) is None


def test_only_a_baseline_file_without_more_is_plain():
    """Anything else gets a closer look."""
    data = stored()
    assert jpeg.plain_size(data) == (48, 32)
    others = [stored(progressive=True), data[:2] + exif(**TURNED) + data[2:]]
    others += [data[:2] + bare + data[2:] for bare in BARE]
    others += [data[:at] for at in range(2, data.index(b"\xff\xda"), 7)]
    assert {jpeg.plain_size(other) for other in others} == {None}


def test_a_file_of_a_thousand_scans_is_refused(tmp_path):
    """Each goes over all pixels: 9,000 of 9,000 x 9,000 would take minutes."""
    data = stored(progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(Unusable, match=r"1,\d+ scans are more than 100"):
        decoded(tmp_path, data[:last] + data[last:-2] * 1_000 + data[-2:])


def test_a_file_of_a_million_markers_is_refused(tmp_path):
    """Pillow reads them one by one."""
    data = stored(progressive=True)
    with pytest.raises(Unusable, match="more than 10,000 markers"):
        decoded(tmp_path, data[:2] + b"\xff\xd0" * 1_000_000 + data[2:])


def test_a_sparse_file_is_not_read(tmp_path):
    """Two gigabytes that begin as a picture does."""
    path = tmp_path / "x"
    path.write_bytes(stored())
    with path.open("r+b") as file:
        file.truncate(2**31)
    with pytest.raises(Unusable, match=rf"^2,147,483,648 bytes are more than {MOST_BYTES:,}$"):
        decode(path, size=8, max_pixels=10**8)
