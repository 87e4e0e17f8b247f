"""The device is what params.yaml asks for, or a clear no."""

import pytest
import torch
from threadpoolctl import threadpool_info

from shallowdeep.files.errors import InputError
from shallowdeep.training import devices


def test_cuda_is_taken_where_there_is_one():
    """`auto` leaves one thread to a step; `cuda` that is not there is told what to type instead."""
    there = torch.cuda.is_available()
    assert devices.pick("auto").type == ("cuda" if there else "cpu")
    assert torch.get_num_threads() == 1
    assert {library["num_threads"] for library in threadpool_info()} == {1}
    if there:
        assert devices.pick("cuda").type == "cuda"
    else:
        with pytest.raises(InputError, match="sees no CUDA device; take auto or cpu"):
            devices.pick("cuda")


@pytest.mark.parametrize(
    ("device", "picked", "told"),
    [
        ("auto", "cpu", "params.yaml: device: auto uses the CPU because the CUDA"),
        ("cuda", None, "params.yaml: device: cuda, but the CUDA device"),
        ("cpu", "cpu", ""),
    ],
)
def test_a_device_that_cannot_be_used_is_not_taken(device, picked, told, monkeypatch, capfd):
    """One line says why: here torch is made to believe in a device that it is not let see."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    if picked:
        assert devices.pick(device).type == picked
        said = capfd.readouterr().err
    else:
        with pytest.raises(InputError) as refused:
            devices.pick(device)
        said = f"{refused.value}\n"
    assert said.startswith(told) and said.count("\n") == bool(told)
