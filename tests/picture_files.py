"""Picture files, whole and hand-made, for tests of whatever reads them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from shallowdeep.pictures.decoding import Picture, decode

PNG = b"\x89PNG\r\n\x1a\n"
KINDS = {"B": 1, "H": 3, "I": 4}  # of TIFF tags
PACKED = {  # compression tag, and how a strip is packed
    "raw": (1, bytes),
    "deflate": (8, zlib.compress),
    "old deflate": (32_946, zlib.compress),
    "PackBits": (32_773, lambda data: b"".join(b"\0" + data[i : i + 1] for i in range(len(data)))),
}


def scene(width, height, *, seed=0):
    """Smooth colour with some noise, as photographs have."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 17 + k) * np.cos(y / 11 - k) for k in range(3)]
    noise = np.random.default_rng(seed).normal(0, 8, (height, width, 3))
    pixels = 127 + 90 * np.stack(waves, axis=2) + noise
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def stored(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def decoded(folder, data, *, size=8, max_pixels=10**8) -> Picture:
    """The picture of a file's content."""
    (folder / "picture").write_bytes(data)
    return decode(folder / "picture", size=size, max_pixels=max_pixels)


def chunk(kind, data, *, checksum=None):
    """A chunk of a PNG file."""
    body = kind + data
    crc = zlib.crc32(body) if checksum is None else checksum
    return struct.pack(">I", len(data)) + body + struct.pack(">I", crc)


def png(width, height, data=b"", *, depth=8, colour=2, before=b""):
    """A PNG file of a given header; `before` comes before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    ihdr, idat, iend = chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")
    return PNG + ihdr + before + idat + iend


def tiff(data, *, order="<", bits=8, kind=1, white_is_zero=False, packing="raw", **tags):
    """A file of one strip, 8 x 8 grey values unless `tags` has others; t262=None leaves out."""
    compression, pack = PACKED[packing]
    content = pack(data)
    numbers = {256: 8, 257: 8, 258: bits, 259: compression, 262: 0 if white_is_zero else 1}
    numbers |= {273: 8, 277: 1, 278: 8, 279: len(content), 339: kind}
    numbers |= {int(name[1:]): value for name, value in tags.items()}
    entries = [(tag, value) for tag, value in sorted(numbers.items()) if value is not None]
    body = b""
    for tag, value in entries:
        if isinstance(value, bytes):
            body += struct.pack(f"{order}HHI4s", tag, 2, len(value), value)
        elif isinstance(value, tuple):  # type, number of values, place
            body += struct.pack(f"{order}HHII", tag, *value)
        else:
            form = "H" if value < 2**16 and tag != 330 else "I"
            number = struct.pack(f"{order}{form}", value).ljust(4, b"\0")
            body += struct.pack(f"{order}HHI4s", tag, KINDS[form], 1, number)
    content += b"\0" * (len(content) % 2)
    head = b"II*\0" if order == "<" else b"MM\0*"
    table = struct.pack(f"{order}H", len(entries)) + body + bytes(4)
    return head + struct.pack(f"{order}I", 8 + len(content)) + content + table
