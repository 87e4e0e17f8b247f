"""The device is what params.yaml asks for, or a clear no."""

import os
import subprocess
import sys

import pytest
import torch
from threadpoolctl import threadpool_info

from shallowdeep.files.errors import InputError
from shallowdeep.training import devices


def test_auto_takes_cuda_where_there_is_one():
    """And leaves one thread to a step."""
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert devices.pick("auto").type == expected
    assert torch.get_num_threads() == 1
    assert {library["num_threads"] for library in threadpool_info()} == {1}


def test_cuda_that_is_not_there_is_refused():
    """With what to type instead; where there is one it is taken."""
    if torch.cuda.is_available():
        assert devices.pick("cuda").type == "cuda"
        return
    with pytest.raises(InputError, match="sees no CUDA device; take auto or cpu"):
        devices.pick("cuda")


CODE = """
import sys, torch
from shallowdeep.training import devices
from shallowdeep.files.errors import one_line_errors
torch.cuda.is_available = lambda: True
with one_line_errors("train"):
    print(devices.pick(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("device", "status", "printed", "told"),
    [
        ("auto", 0, "cpu\n", "params.yaml: device: auto uses the CPU because the CUDA"),
        ("cuda", 1, "", "train: params.yaml: device: cuda, but the CUDA device"),
        ("cpu", 0, "cpu\n", ""),
    ],
)
def test_a_device_that_cannot_be_used_is_not_taken(device, status, printed, told):
    """One line says why: here torch is made to believe in a device that it is not let see."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-c", CODE, device],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert (done.returncode, done.stdout) == (status, printed)
    assert done.stderr.startswith(told) and done.stderr.count("\n") == bool(told)
