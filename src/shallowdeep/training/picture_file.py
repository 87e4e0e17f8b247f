"""Pictures stay in their file, of which memory may hold a part only.

Where the file fits into memory it is mapped; where it does not, pictures are read into the batch
that wants them, since giving mapped pages back costs more than reading (100 to 3,000 microseconds a
picture of 128 x 128 instead of 50). Either way the system hears of a picture eight batches before
its turn: one that it then has to wait for takes 120 microseconds to read, 850 to map.
"""

import os
import warnings
import weakref
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shallowdeep.files.errors import InputError
from shallowdeep.files.memory import fits

AHEAD = 8  # parts
WHOLE = slice(None)


class PictureFile:
    """Pictures uint8 [N, 3, S, S] of a .npy file, or a band of each: [N, 3, S', S].

    Attributes:
        shape: of the array that it stands for.
        device: where pictures are picked to.
    """

    def __init__(
        self, array: "np.memmap[tuple[int, ...], np.dtype[np.uint8]]", band: slice = WHOLE
    ) -> None:
        count, channels, size, width = array.shape
        first, end, _ = band.indices(size)
        self.shape = torch.Size((count, channels, end - first, width))
        self.device = torch.device("cpu")
        self._mapped = torch.from_numpy(array)[:, :, band] if fits(array.nbytes) else None
        self._name, self._start, self._size = array.filename, array.offset, array[:1].nbytes
        channel, piece = size * width, (end - first) * width
        starts = [number * channel + first * width for number in range(channels)]
        whole = piece == channel
        self._starts, self._piece = ([0], self._size) if whole else (starts, piece)
        self._file = os.open(str(self._name), os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self.shape[0]

    def announce(self, rows: Tensor) -> None:
        """Let the system read rows before they are picked; macOS has no call for it."""
        if hasattr(os, "posix_fadvise"):
            for place in self._places(rows.flatten()):
                os.posix_fadvise(self._file, place, self._piece, os.POSIX_FADV_WILLNEED)

    def pick(self, rows: Tensor, out: Tensor) -> None:
        """Copy rows [m] into `out` uint8 [m, *shape[1:]].

        Raises:
            InputError: the file has become shorter.
        """
        if self._mapped is not None:
            torch.index_select(self._mapped, 0, rows, out=out)
            return
        buffer = out.numpy().data.cast("B")
        for i, place in enumerate(self._places(rows)):
            piece = buffer[i * self._piece : (i + 1) * self._piece]
            if os.preadv(self._file, [piece], place) != self._piece:
                raise InputError(f"{self._name}: has become shorter while it was read")

    def _places(self, rows: Tensor) -> Iterator[int]:
        """Where in the file the pieces of rows [m] begin, each `_piece` bytes long."""
        for row in rows.tolist():
            for start in self._starts:
                yield self._start + row * self._size + start


Pictures = Tensor | PictureFile  # uint8 [N, 3, S, S]


def at_hand(array: NDArray[np.uint8], device: torch.device, band: slice = WHOLE) -> Pictures:
    """Prepared pictures, or a band of rows of each; on a CPU they stay where they are."""
    if device.type == "cpu" and isinstance(array, np.memmap):
        return PictureFile(array, band)
    with warnings.catch_warnings(action="ignore"):  # torch remarks on what cannot be written to
        return torch.from_numpy(array[:, :, band]).to(device)


def announced(pictures: Pictures, parts: Sequence[Tensor]) -> Iterator[Tensor]:
    """Rows of `pictures`, part by part, each announced `AHEAD` parts before."""
    if isinstance(pictures, Tensor):
        yield from parts
        return
    for part in parts[:AHEAD]:
        pictures.announce(part)
    for number, part in enumerate(parts):
        for later in parts[number + AHEAD : number + AHEAD + 1]:
            pictures.announce(later)
        yield part


def copy_rows(pictures: Pictures, rows: Tensor, *, out: Tensor) -> None:
    """Copy rows [m] of `pictures` into `out` uint8 [m, 3, S, S]."""
    if isinstance(pictures, Tensor):
        torch.index_select(pictures, 0, rows, out=out)
    else:
        pictures.pick(rows, out)
