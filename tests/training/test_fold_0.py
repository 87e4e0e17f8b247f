"""What `evaluate` asks of a model is read back as it was written, beside that model alone."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.training import fold_0, model
from shallowdeep.training.made import Made
from shallowdeep.training.network import draw

NAMES = ("first_layer", "train", "validation")


@pytest.fixture
def trained(pictures):
    """A model of two runs that was not trained."""
    layers = draw(3 * pictures.size**2, [4], [torch.Generator().manual_seed(run) for run in (0, 1)])
    half = Normalisation(pictures.mean, pictures.std)
    made = Made(pictures.sha256, "b", [1, 2], {"lr": 0.1, "hidden": [4]})
    return model.Model(layers, [0, 1], pictures.classes, pictures.size, half, made)


@pytest.fixture
def files(tmp_path, trained, pictures):
    """Its own file, and the one with what is asked of it."""
    own, asked = tmp_path / "deep.pt", tmp_path / "fold_0.safetensors"
    model.write(trained, own)
    fold_0.write(trained.on_its_own(pictures), own, asked)
    return own, asked


def test_it_comes_back(files, trained, pictures):
    """What the first run looks for, and what each run says about what it has seen."""
    own, asked = files
    found = fold_0.read(asked, own)
    assert found.made == trained.made
    assert np.array_equal(found.first_layer.reshape(4, -1), trained.layers[0].weight[0].numpy())
    for split in ("train", "validation"):
        rows = torch.from_numpy(pictures.rows(split))
        said = trained.probabilities(torch.from_numpy(pictures.pictures), rows).numpy()
        assert np.array_equal(getattr(found, split), said)


def test_the_same_model_gives_the_same_bytes(files, trained, pictures, tmp_path):
    """DVC would otherwise see a change where there is none."""
    own, asked = files
    fold_0.write(trained.on_its_own(pictures), own, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == asked.read_bytes()


@pytest.mark.parametrize(
    "alter",
    [
        lambda data: data[:-4],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data.replace(b"0.1", b"0.2"),
        lambda data: data.replace(b"train", b"trail"),
        lambda data: data.replace(b"F32", b"I32"),
        lambda _: b"",
        lambda _: b"words, and not few of them",
    ],
    ids=["cut", "flipped", "parameter", "name", "integers", "empty", "words"],
)
def test_an_altered_file_is_named(files, alter):
    """With the command that makes it anew."""
    own, asked = files
    altered = alter(asked.read_bytes())
    assert altered != asked.read_bytes()
    asked.write_bytes(altered)
    with pytest.raises(InputError, match=r"fold_0\.safetensors: damaged, .* `dvc repro --force`"):
        fold_0.read(asked, own)


@pytest.mark.parametrize("about", [None, "1", "[]", "{}", json.dumps({"sha256": "0"})])
def test_a_file_of_something_else_is_named(files, about):
    """It may be whole, and of another program."""
    own, asked = files
    with safe_open(asked, "numpy") as file:
        arrays = {name: file.get_tensor(name) for name in NAMES}
    save_file(arrays, asked, about and {"shallowdeep": about})
    with pytest.raises(InputError, match=r"fold_0\.safetensors: damaged, or of another kind"):
        fold_0.read(asked, own)


def test_another_model_is_named(files, trained):
    """Also one that is whole, of the same pictures and parameters."""
    own, asked = files
    model.write(trained._replace(seeds=[0, 2]), own)
    with pytest.raises(InputError, match=r"deep\.pt: not the model that .*fold_0.* is of"):
        fold_0.read(asked, own)


def test_what_is_missing_is_named(files):
    """The model first: it may be one that dvc.yaml has no stage for."""
    own, asked = files
    asked.unlink()
    with pytest.raises(InputError, match=r"fold_0\.safetensors: no such file; `dvc repro` makes"):
        fold_0.read(asked, own)
    own.unlink()
    with pytest.raises(InputError, match=r"deep\.pt: no such file; .* a stage for"):
        fold_0.read(asked, own)
