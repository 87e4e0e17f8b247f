"""GIF and WebP files of many blocks: Pillow and libwebp would take minutes for them."""

from typing import BinaryIO

from shallowdeep.pictures.limits import Unusable

GIF = (b"GIF87a", b"GIF89a")
MOST_BLOCKS = 100_000
LONGEST_WEBP = 2**27  # bytes; libwebp needs three times as much memory


def is_webp(start: bytes) -> bool:
    """True if a file begins as WebP does."""
    return (start[:4], start[8:12]) == (b"RIFF", b"WEBP")


def check_blocks(file: BinaryIO, start: bytes) -> None:
    """Refuse a file of too many blocks before its first picture, or of too many chunks.

    Raises:
        Unusable: with the limit.
    """
    if start.startswith(GIF):
        _check_gif(file, start)
    elif is_webp(start):
        _check_webp(file)
    file.seek(0)


def _check_gif(file: BinaryIO, start: bytes) -> None:
    """Walk through the extensions before the first picture (GIF89a, section 15)."""
    file.seek(13 + (3 << (start[10] & 7) + 1 if len(start) > 10 and start[10] & 128 else 0))
    is_extension = False
    for _ in range(MOST_BLOCKS):
        (length,) = file.read(1) or b";"
        if is_extension:
            file.seek(length, 1)
            is_extension = length > 0
        elif length in b",;":
            return
        elif length == ord("!"):
            file.seek(1, 1)  # its kind
            is_extension = True
    raise Unusable(f"more than {MOST_BLOCKS:,} blocks before the first picture")


def _check_webp(file: BinaryIO) -> None:
    at, end = 12, file.seek(0, 2)
    if end > LONGEST_WEBP:
        raise Unusable(f"{end:,} bytes are more than {LONGEST_WEBP:,} of a WebP file")
    for _ in range(MOST_BLOCKS):
        file.seek(at + 4)
        size = int.from_bytes(file.read(4), "little")
        at += 8 + size + size % 2
        if at >= end:
            return
    raise Unusable(f"more than {MOST_BLOCKS:,} chunks")
