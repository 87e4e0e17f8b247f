"""Directories of tags: of a TIFF file, and of an EXIF block, which is built like one (TIFF 6.0)."""

import struct
from typing import BinaryIO, NamedTuple

from shallowdeep.pictures.limits import MOST_BYTES

MOST_TAGS = 2**16
MOST_NUMBERS = 16  # of a tag that are read
SIZES = {2: 1, 5: 8, 7: 1, 10: 8, 11: 4, 12: 8}  # bytes of a value, by type
INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
TEXT = 2


class Tag(NamedTuple):
    """One tag."""

    kind: int  # type of its values
    values: int
    field: bytes  # the values if they fit into it, else their place in the file

    @property
    def size(self) -> int:
        """Bytes of all values."""
        form = INTEGERS.get(self.kind)
        return self.values * (struct.calcsize(f"={form}") if form else SIZES.get(self.kind, 0))


class Directory:
    """The tags of one picture.

    Raises:
        KeyError, ValueError, struct.error: there is none at this place.
    """

    def __init__(self, file: BinaryIO, at: int | None = None) -> None:
        file.seek(0)
        head = file.read(16)
        self._file, self._order = file, {b"II": "<", b"MM": ">"}[head[:2]]
        is_big = 43 in head[2:4]  # BigTIFF
        self._place, number, entry = ("Q", "Q", "HHQ8s") if is_big else ("I", "H", "HHI4s")
        if at is None:
            (at,) = struct.unpack_from(self._order + self._place, head, 8 if is_big else 4)
        if at > MOST_BYTES:
            raise ValueError("behind the end")
        file.seek(at)
        (count,) = self._unpacked(number)
        if count > MOST_TAGS:
            raise ValueError("too many tags")
        size = struct.calcsize(f"={entry}")
        whole = file.read(size * count)
        rows = struct.iter_unpack(self._order + entry, whole[: len(whole) // size * size])
        self.tags = {tag: Tag(*rest) for tag, *rest in rows}
        try:
            (self.next,) = self._unpacked(self._place)  # of the next directory; 0 if there is none
        except struct.error:
            self.next = 0

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return the first integers of a tag, also if they are written as text."""
        if tag not in self.tags:
            return ()
        kind, values, field = self.tags[tag]
        if kind == TEXT:
            text = field.split(b"\0")[0]
            return (int(text),) if text.isdigit() else ()
        if kind not in INTEGERS:
            return ()
        form = f"{self._order}{min(values, MOST_NUMBERS)}{INTEGERS[kind]}"
        if self.tags[tag].size > len(field):
            (at,) = struct.unpack(self._order + self._place, field)
            self._file.seek(min(at, MOST_BYTES))
            field = self._file.read(struct.calcsize(form))
        return struct.unpack_from(form, field) if struct.calcsize(form) <= len(field) else ()

    def number(self, tag: int, default: int) -> int:
        """Return the first integer of a tag."""
        return next(iter(self.numbers(tag)), default)

    def _unpacked(self, form: str) -> tuple[int, ...]:
        return struct.unpack(self._order + form, self._file.read(struct.calcsize(f"={form}")))
