"""weights.safetensors holds all that is needed to use a model; a strange one is refused."""

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save
from safetensors.torch import load_file
from torch import nn

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.trained import model
from shallowdeep.trained.model import Model, StoredLayer

SIZE, RUNS = 8, 2
HALF = Normalisation((0.5,) * 3, (0.5,) * 3)


def drawn() -> Model:
    """A model of two runs, on pictures of 8 x 8 pixels."""
    rng, widths = np.random.default_rng(0), [3 * SIZE**2, 5, 3, 1]
    shapes = [((RUNS, n, n_prev), (RUNS, n)) for n_prev, n in pairwise(widths)]
    layers = [
        StoredLayer(*(rng.normal(size=shape).astype(np.float32) for shape in layer))
        for layer in shapes
    ]
    return Model(layers, [0, 2**63 - 1], ("cat", "dog"), SIZE, HALF)


@pytest.fixture
def path(tmp_path):
    """That model's file."""
    model.write(drawn(), tmp_path / "weights.safetensors")
    return tmp_path / "weights.safetensors"


def test_a_model_is_read_back(path):
    """From its file or its folder, all numbers and all that a picture needs."""
    for where in (path, path.parent):
        found, expected = model.read(where), drawn()
        assert found[1:] == expected[1:]
        for one, other in zip(found.layers, expected.layers, strict=True):
            assert (one.weight == other.weight).all() and (one.bias == other.bias).all()


def test_another_process_writes_the_same_bytes(path):
    """DVC would otherwise see a change where there is none."""
    code = "import sys; from pathlib import Path; from shallowdeep.trained import model; "
    code += "model.write(model.read(Path(sys.argv[1])), Path(sys.argv[2]))"
    again = path.with_name("again.safetensors")
    subprocess.run([sys.executable, "-c", code, path, again], check=True)
    assert again.read_bytes() == path.read_bytes()


def test_plain_pytorch_can_use_a_run(path):
    """The lines of README.md: one run's weights load into nn.Sequential."""
    layers = [nn.Linear(192, 5), nn.ReLU(), nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 1)]
    peer = nn.Sequential(*layers)
    peer.load_state_dict({key: stack[1] for key, stack in load_file(path).items()})
    A = X = np.random.default_rng(0).normal(size=(192, 6)).astype(np.float32)
    for layer in drawn().layers:
        Z = layer.weight[1] @ A + layer.bias[1][:, None]
        A = np.maximum(Z, 0)
    found = peer(torch.from_numpy(X.T)).detach().numpy()[:, 0]
    np.testing.assert_allclose(found, Z[0], rtol=1e-5)


def spoilt(about=None, **tensors) -> bytes:
    """The file with other metadata or tensors; None leaves one out."""
    arrays = {}
    for i, layer in enumerate(drawn().layers):
        arrays |= {f"{2 * i}.weight": layer.weight, f"{2 * i}.bias": layer.bias}
    arrays |= {name.replace("_", "."): tensor for name, tensor in tensors.items()}
    known = {"seeds": [0, 1], "classes": ["cat", "dog"], "size": SIZE, **HALF._asdict()}
    known |= about or {}
    kept = {key: value for key, value in known.items() if value is not None}
    tensors = {key: tensor for key, tensor in arrays.items() if tensor is not None}
    return save(tensors, {"shallowdeep": json.dumps(kept)})


NESTED: list = []
for _ in range(500):
    NESTED = [NESTED]
ONE = np.zeros((RUNS, 5, 192), np.float32)
REFUSED = {
    "nothing": (b"", "its header"),
    "words": (b"words of somebody", "its header"),
    "a pickle": (b"\x80\x04cos\nsystem\n(S'touch executed'\ntR.", "its header"),
    "a header without end": ((2**40).to_bytes(8, "little") + b"{}", "its header"),
    "mean nan": (spoilt({"mean": [float("nan")] * 3}), "finite"),
    "mean huge": (spoilt({"mean": [1e300, 0.5, 0.5]}), "from 0 to 1"),
    "mean words": (spoilt({"mean": ["a", "b", "c"]}), "could not convert"),
    "mean none": (spoilt({"mean": None}), "damaged"),
    "mean of two": (spoilt({"mean": [0.5, 0.5]}), "three finite numbers"),
    "std 0": (spoilt({"std": [0.0, 0.5, 0.5]}), "not from 1e-06 to 1"),
    "std tiny": (spoilt({"std": [1e-310, 0.5, 0.5]}), "not from 1e-06 to 1"),
    "size float": (spoilt({"size": 8.0}), "its size"),
    "size huge": (spoilt({"size": 10**9}), "its size"),
    "size below 1": (spoilt({"size": -8}), "its size"),
    "size other": (spoilt({"size": 9}), "weights of shape [2, 5, 192] after 243 inputs"),
    "no seeds": (spoilt({"seeds": []}), "its seeds"),
    "a seed below 0": (spoilt({"seeds": [0, -1]}), "its seeds"),
    "a seed too many": (spoilt({"seeds": [0, 1, 2]}), "weights of shape"),
    "one class": (spoilt({"classes": ["cat"]}), "not enough values"),
    "a class twice": (spoilt({"classes": ["cat", "cat"]}), "one name"),
    "a class of no name": (spoilt({"classes": ["cat", ""]}), "no name"),
    "a class as a number": (spoilt({"classes": ["cat", 3]}), "no name"),
    "a class without end": (spoilt({"classes": ["cat", "x" * 10_000]}), "no folder can have"),
    "lists in lists": (spoilt({"classes": NESTED}), "not enough values"),
    "a tensor less": (spoilt(**{"0_bias": None}), "its tensors"),
    "a tensor more": (spoilt(**{"7_bias": ONE}), "its tensors"),
    "float64": (spoilt(**{"0_weight": ONE.astype(np.float64)}), "not float32"),
    "nan": (spoilt(**{"0_weight": ONE + np.float32("nan")}), "not finite"),
    "turned": (spoilt(**{"0_weight": ONE.transpose(0, 2, 1).copy()}), "weights of shape"),
    "two outputs": (
        spoilt(**{"4_weight": ONE[:, :2, :3].copy(), "4_bias": ONE[:, 0, :2].copy()}),
        "2 outputs instead of 1",
    ),
    **{f"{tenth} tenths": (spoilt()[: len(spoilt()) * tenth // 10], "") for tenth in range(1, 10)},
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path, monkeypatch, name):
    """With the reason, and the command that makes another; nothing in it is run."""
    monkeypatch.chdir(tmp_path)
    content, reason = REFUSED[name]
    Path("strange.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"strange\.safetensors: not a model of this") as error:
        model.read(Path("strange.safetensors"))
    line = str(error.value)
    assert reason in line and "`dvc repro`" in line and "\n" not in line and len(line) < 300
    assert not Path("executed").exists()


def test_a_path_without_a_model_is_named(tmp_path):
    """A folder without one, a device that gives bytes without end, a pipe that nobody writes to."""
    with pytest.raises(InputError, match=r"weights\.safetensors: no such file; `dvc repro` trains"):
        model.read(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for odd in (Path("/dev/zero"), tmp_path / "pipe"):
        with pytest.raises(InputError, match=f"{odd}: not an ordinary file"):
            model.read(odd)
