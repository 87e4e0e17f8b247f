"""JPEG files, quickly: simplejpeg gives Pillow's pixels in a quarter less time."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from simplejpeg import decode_jpeg, decode_jpeg_header

from shallowdeep.pictures import exif
from shallowdeep.pictures.limits import Unusable

if TYPE_CHECKING:
    from torch import Tensor

MAGIC = b"\xff\xd8\xff"
SCAN, END, APP1 = 0xDA, 0xD9, 0xE1
ONE_SCAN = (0xC0, 0xC1)  # frames: baseline and extended; a progressive one needs a closer look
BARE = {0x01, *range(0xD0, 0xD9)}  # TEM, RST0 to RST7 and SOI have no length
# All with a length but APP1, which may hold the orientation.
USUAL = {*ONE_SCAN, 0xC4, 0xDB, 0xDD, 0xE0, *range(0xE2, 0xF0), 0xFE}

MOST_SCANS = 100  # however few the pixels
MOST_MARKERS = 10_000  # before the first scan, which Pillow reads one by one


def plain_size(data: bytes) -> tuple[int, int] | None:
    """Read width and height of a file of one scan of 1 or 3 channels; None for any other.

    All markers up to the scan are read: EXIF may follow the frame. A file that two parsers may read
    in two ways (markers without a length, fill bytes, rubbish) is not plain. This takes 4
    microseconds; Pillow takes 70, in which other threads run no Python.
    """
    at, channels, size = 2, 0, None
    for _ in range(MOST_MARKERS):
        if at + 10 > len(data):
            break
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == 0xFF00 | SCAN:
            return size if data[at + 4] == channels else None
        if marker < 0xFF00 or marker & 0xFF not in USUAL or length < 2:
            return None
        if marker & 0xFF in ONE_SCAN:
            if channels or data[at + 4] != 8 or data[at + 9] not in (1, 3):
                return None
            height, width, channels = struct.unpack_from(">HHB", data, at + 5)
            size = width, height
        at += 2 + length
    return None


def split_exif(data: bytes) -> tuple[bytes, bytes]:
    """Take EXIF out of a file; refuse one whose many markers or scans would take minutes.

    Returns:
        EXIF from all of its segments, and the rest for Pillow, which fails for some EXIF blocks.

    Raises:
        Unusable: with the limit.
    """
    at, done, blocks, rest = 2, 0, [], []
    for _ in range(MOST_MARKERS):
        fill, marker, length = struct.unpack_from(">BBH", data[at : at + 4].ljust(4, b"\0"))
        if fill != 0xFF or marker in (SCAN, END):
            break
        end = at + (1 if marker == 0xFF else 2 if marker in BARE else 2 + length)
        if marker == APP1 and data.startswith(exif.START, at + 4):
            blocks.append(data[at + 4 + len(exif.START) : end])
            rest.append(data[done:at])
            done = end
        at = end
    else:
        raise Unusable(f"damaged: more than {MOST_MARKERS:,} markers before the first scan")
    if (scans := data.count(bytes([0xFF, SCAN]))) > MOST_SCANS:
        raise Unusable(f"{scans:,} scans are more than {MOST_SCANS}")
    return b"".join(blocks), b"".join([*rest, data[done:]])


def size(data: bytes) -> tuple[int, int] | None:
    """Read width and height with the decoder itself; None if it cannot."""
    try:
        height, width, *_ = decode_jpeg_header(data)
    except ValueError:
        return None
    return width, height


def pixels(data: bytes) -> Tensor | None:
    """Decode a grey or colour JPEG file as stored: uint8 [3, H, W].

    None if the decoder has any remark: Pillow may still decode it.
    """
    import torch

    try:
        return torch.from_numpy(decode_jpeg(data)).movedim(2, 0)
    except ValueError:
        return None
