"""Pictures in their file, which may be larger than memory.

A file that fits into memory is mapped. Pictures of a larger one are read into the batch that wants
them, since giving mapped pages back costs more than reading (100 to 3,000 microseconds a picture of
128 x 128 instead of 50). Either way the system prefetches a picture eight batches before its turn:
one that it then has to wait for takes 120 microseconds to read, 850 to map.
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


class PictureFile:
    """Pictures uint8 [N, 3, S, S] of a .npy file.

    Attributes:
        shape: of the array.
        device: of the pictures that are picked.
    """

    def __init__(self, array: "np.memmap[tuple[int, ...], np.dtype[np.uint8]]") -> None:
        self.shape = torch.Size(array.shape)
        self.device = torch.device("cpu")
        self._mapped = torch.from_numpy(array) if fits(array.nbytes) else None
        self._name, self._start, self._size = array.filename, array.offset, array[:1].nbytes
        self._file = os.open(str(self._name), os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        return self.shape[0]

    def prefetch(self, rows: Tensor) -> None:
        """Let the system read rows before they are picked; macOS has no call for it."""
        if hasattr(os, "posix_fadvise"):
            for row in rows.flatten().tolist():
                place = self._start + row * self._size
                os.posix_fadvise(self._file, place, self._size, os.POSIX_FADV_WILLNEED)

    def pick(self, rows: Tensor, out: Tensor) -> None:
        """Copy rows [m] into `out` uint8 [m, 3, S, S].

        Raises:
            InputError: the file has become shorter.
        """
        if self._mapped is not None:
            torch.index_select(self._mapped, 0, rows, out=out)
            return
        for row, picture in zip(rows.tolist(), out.numpy(), strict=True):
            place = self._start + row * self._size
            if os.preadv(self._file, [picture.data.cast("B")], place) != self._size:
                raise InputError(f"{self._name}: has become shorter while it was read")


Pictures = Tensor | PictureFile  # uint8 [N, 3, S, S]


def at_hand(array: NDArray[np.uint8], device: torch.device) -> Pictures:
    """Move prepared pictures to a device; on a CPU they stay in their file."""
    if device.type == "cpu" and isinstance(array, np.memmap):
        return PictureFile(array)
    with warnings.catch_warnings(action="ignore"):  # torch remarks on what cannot be written to
        return torch.from_numpy(array).to(device)


def prefetched(pictures: Pictures, parts: Sequence[Tensor]) -> Iterator[Tensor]:
    """Yield rows of `pictures` part by part, each prefetched `AHEAD` parts before."""
    if isinstance(pictures, Tensor):
        yield from parts
        return
    for part in parts[:AHEAD]:
        pictures.prefetch(part)
    for number, part in enumerate(parts):
        for later in parts[number + AHEAD : number + AHEAD + 1]:
            pictures.prefetch(later)
        yield part


def copy_rows(pictures: Pictures, rows: Tensor, *, out: Tensor) -> None:
    """Copy rows [m] of `pictures` into `out` uint8 [m, 3, S, S]."""
    if isinstance(pictures, Tensor):
        torch.index_select(pictures, 0, rows, out=out)
    else:
        pictures.pick(rows, out)
