"""The device is what params.yaml asks for, or a clear no."""

import pytest
import torch

from shallowdeep import devices
from shallowdeep.errors import InputError


def test_auto_takes_cuda_where_there_is_one():
    """And sets the number of threads."""
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert devices.pick("auto", threads=1).type == expected
    assert torch.get_num_threads() == 1


def test_cuda_that_is_not_there_is_refused():
    """With what to type instead; where there is one it is taken."""
    if torch.cuda.is_available():
        assert devices.pick("cuda", threads=1).type == "cuda"
        return
    with pytest.raises(InputError, match="sees no CUDA device; take auto or cpu"):
        devices.pick("cuda", threads=1)
