"""PNG files without text, colour profiles and other chunks that do not change the pixels.

Such chunks can be large, or their checksums wrong; Pillow then refuses the file. libpng skips them,
and so does this project.
"""

import struct
import zlib
from collections.abc import Iterator

from shallowdeep.pictures.limits import Unusable

MAGIC = b"\x89PNG\r\n\x1a\n"
# Kept besides the critical chunks: transparency and orientation.
KEPT = (b"tRNS", b"eXIf", b"iTXtXML:com.adobe.xmp\0\0", b"zTXtRaw profile type exif\0")
LONGEST = 2**16  # bytes of such a chunk
MOST_CHUNKS = 100_000  # Pillow reads them one by one


def essential(data: bytes) -> bytes:
    """Keep the signature and the chunks that pixels and orientation depend on, in their order.

    Raises:
        Unusable: too many chunks.
    """
    depth, colour = data[24:26].ljust(2, b"\0")
    factor = {2: 85, 4: 17}.get(depth, 1) if colour == 0 else 1
    chunks = (_scaled(chunk, factor) for chunk in _essential_chunks(data))
    return MAGIC + b"".join(chunks)


def _essential_chunks(data: bytes) -> Iterator[bytes]:
    at = len(MAGIC)
    for _ in range(MOST_CHUNKS):
        if at + 8 > len(data):
            return
        (length,) = struct.unpack_from(">I", data, at)
        chunk = data[at : at + 12 + length]
        at += len(chunk)
        is_critical = not chunk[4] & 32  # the first letter is a capital
        is_damaged = not chunk[4:8].isalpha()  # for Pillow to refuse
        is_kept = len(chunk) < LONGEST and chunk.startswith(KEPT, 4)
        is_kept = is_kept and chunk[-4:] == zlib.crc32(chunk[4:-4]).to_bytes(4)
        if is_critical or is_damaged or is_kept:
            yield chunk
        if chunk.startswith(b"IEND", 4):
            return
    raise Unusable(f"more than {MOST_CHUNKS:,} chunks")


def _scaled(chunk: bytes, factor: int) -> bytes:
    """Scale the transparent grey value to 8 bits, as Pillow needs it."""
    if factor == 1 or not chunk.startswith(b"tRNS", 4) or len(chunk) != 14:
        return chunk
    content = chunk[4:9] + bytes([chunk[9] * factor % 256])
    return chunk[:4] + content + zlib.crc32(content).to_bytes(4)
