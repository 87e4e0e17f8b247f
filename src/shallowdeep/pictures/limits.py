"""Limits of a single file; it is rejected above them before anything is decoded."""

from shallowdeep.files.errors import InputError

MOST_BYTES = 2**29  # of a file: 1.8 times 100,000,000 uncompressed pixels of three bytes
LONGEST_SIDE = 65_535  # pixels, as a JPEG file can say; resizing takes memory by the longer side
LONGEST_SHAPE = 1_000  # times as long as it is wide
RUN_LENGTHS = 2**24  # bytes and pixels of a BMP file of run lengths, which Pillow takes in Python
SCANS = 20  # over data.max_pixels: 4 s of a core; usual are 10


class Unusable(InputError):
    """A file that gives no picture; the message is the reason alone."""


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse a picture of no, too many or badly spread pixels.

    Raises:
        Unusable: with its size and the limit.
    """
    problem = f"{width} x {height} pixels are"
    if width * height > max_pixels:
        raise Unusable(f"{problem} more than data.max_pixels {max_pixels}")
    if min(width, height) < 1:
        raise Unusable(f"{problem} no picture")
    if max(width, height) > LONGEST_SIDE:
        raise Unusable(f"{problem} more than {LONGEST_SIDE} along a side")
    if max(width, height) > LONGEST_SHAPE * min(width, height):
        raise Unusable(f"{problem} more than {LONGEST_SHAPE} times as long as wide")


def check_scans(data: bytes, pixels: int, max_pixels: int) -> None:
    """Refuse JPEG data whose scans, each over all pixels, would take minutes.

    Raises:
        Unusable: with the number of scans.
    """
    scans = data.count(b"\xff\xda")
    if scans > 1 and scans * pixels > SCANS * max_pixels:
        raise Unusable(
            f"{scans:,} scans of {pixels:,} pixels are more than {SCANS} of data.max_pixels"
            f" {max_pixels}"
        )
