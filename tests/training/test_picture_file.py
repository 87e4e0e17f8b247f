"""Pictures come out of their file with the same bits, whether memory holds it or not."""

import os

import numpy as np
import pytest
import torch
from noise import CPU

from shallowdeep.files import memory
from shallowdeep.files.errors import InputError
from shallowdeep.prepared import prepared_set
from shallowdeep.training.picture_file import PictureFile, at_hand, copy_rows, prefetched

WAYS = {"mapped": 1.0, "read": 0.0}  # how much of memory the file may take to be mapped


@pytest.mark.parametrize("way", WAYS)
def test_rows_are_those_of_the_array(pictures, way, monkeypatch):
    """In any order, more than once; prefetching keeps the order.

    A file larger than memory is not mapped: nothing of it gets into this process's map.
    """
    monkeypatch.setattr(memory, "FITS", WAYS[way])
    file = at_hand(pictures.pictures, CPU)
    assert (file._mapped is not None) == (way == "mapped")
    assert isinstance(file, PictureFile)
    assert (file.shape, len(file)) == (pictures.pictures.shape, 100)
    order = torch.cat([torch.randperm(100), torch.tensor([7, 7, 0, 99])])
    parts = order.split(3)
    out = torch.empty((3, *file.shape[1:]), dtype=torch.uint8)
    for part, expected in zip(prefetched(file, parts), parts, strict=True):
        assert part is expected
        copy_rows(file, part, out=out[: len(part)])
        assert np.array_equal(out[: len(part)], pictures.pictures[part.numpy()])


def test_more_pictures_than_memory_can_be_read(tmp_path):
    """A file of holes, twice as large as this machine's memory: the system refuses it as a copy."""
    count = 2 * memory.memory_limit() // 49_152
    path = tmp_path / "pictures.npy"
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, 3, 128, 128)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + count * 49_152)
    with pytest.raises(OSError, match="Cannot allocate memory"):
        np.load(path, mmap_mode="c")
    array = prepared_set._array(path, np.dtype(np.uint8), (count, 3, 128, 128))
    out = torch.ones((2, 3, 128, 128), dtype=torch.uint8)
    copy_rows(at_hand(array, CPU), torch.tensor([0, count - 1]), out=out)
    assert not out.any()


def test_a_file_that_becomes_shorter_is_one_line(tmp_path, monkeypatch):
    """A map would end the process without a word."""
    monkeypatch.setattr(memory, "FITS", 0.0)
    path = tmp_path / "pictures.npy"
    np.save(path, np.zeros((4, 3, 8, 8), np.uint8))
    file = at_hand(np.load(path, mmap_mode="c"), CPU)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(InputError, match=r"pictures\.npy: has become shorter while it was read"):
        file.pick(torch.tensor([0, 3]), torch.empty((2, 3, 8, 8), dtype=torch.uint8))
