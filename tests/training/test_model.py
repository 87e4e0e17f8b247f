"""A model file holds all that is needed to use it, and runs no code."""

import pickle
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.training import model
from shallowdeep.training.made import Made
from shallowdeep.training.network import draw

SAVE = """
import sys, torch
from pathlib import Path
from shallowdeep.prepared import normalisation
from shallowdeep.training import model, network
from shallowdeep.training.made import Made
generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
layers = network.draw(3 * 8 * 8, [5, 3], generators)
half = normalisation.Normalisation((0.5,) * 3, (0.5,) * 3)
made = Made("a", "b", [1, 2], {"epochs": 2})
model.write(model.Model(layers, [0, 1], ("cat", "dog"), 8, half, made), Path(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model file of two runs, on pictures of 8 x 8 pixels, made by another process."""
    return _save(tmp_path_factory.mktemp("saved") / "deep.pt")


@pytest.fixture
def path(saved, tmp_path):
    """A copy of that file, to be spoilt."""
    return Path(shutil.copy(saved, tmp_path))


def _save(path: Path) -> Path:
    subprocess.run([sys.executable, "-c", SAVE, str(path)], check=True)
    return path


def test_what_is_saved_is_loaded(path):
    """Weights, seeds, classes, size and normalisation come back."""
    loaded = model.read(path)
    expected = draw(192, [5, 3], [torch.Generator().manual_seed(seed) for seed in (0, 1)])
    for layer, drawn in zip(loaded.layers, expected, strict=True):
        assert torch.equal(layer.weight, drawn.weight)
        assert torch.equal(layer.bias, drawn.bias)
    half, made = Normalisation((0.5,) * 3, (0.5,) * 3), Made("a", "b", [1, 2], {"epochs": 2})
    assert loaded[1:] == ([0, 1], ("cat", "dog"), 8, half, made)


def test_another_process_writes_the_same_bytes(path, tmp_path):
    """DVC would otherwise see a change where there is none."""
    assert _save(tmp_path / "again" / "deep.pt").read_bytes() == path.read_bytes()


def test_plain_pytorch_can_use_a_run(path):
    """One run's weights load into nn.Sequential, which then answers as the model does."""
    weights = torch.load(path, weights_only=True)["weights"]
    layers = [nn.Linear(192, 5), nn.ReLU(), nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 1)]
    peer = nn.Sequential(*layers, nn.Sigmoid())
    peer.load_state_dict({key: stack[1] for key, stack in weights.items()})
    pictures = torch.randint(0, 256, (6, 3, 8, 8), dtype=torch.uint8)
    answers = model.read(path).probabilities(pictures, torch.arange(6))
    expected = peer((pictures.flatten(1) / 255 - 0.5) / 0.5)[:, 0]
    torch.testing.assert_close(answers[1], expected.detach())


class _Code:
    def __reduce__(self):
        return (Path.touch, (Path("executed"),))


def test_code_in_a_model_file_is_not_run(tmp_path, monkeypatch):
    """A pickle that poses as a model is refused."""
    monkeypatch.chdir(tmp_path)
    Path("deep.pt").write_bytes(pickle.dumps(_Code()))
    Path("zip.pt").unlink(missing_ok=True)
    torch.save({"weights": _Code()}, "zip.pt")
    for name in ("deep.pt", "zip.pt"):
        with pytest.raises(InputError, match=rf"{name}: not a model of this project"):
            model.read(Path(name))
    assert not Path("executed").exists()


SHARED = [0]
for _ in range(40):
    SHARED = [SHARED, SHARED]  # small in a file, without end as a text


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("mean", [float("nan")] * 3, "not finite"),
        ("mean", [float("inf"), 0.5, 0.5], "not finite"),
        ("mean", [True] * 3, "not finite"),
        ("std", [0.0, 0.5, 0.5], "not above 0"),
        ("std", [-0.5] * 3, "not above 0"),
        ("size", 8.0, "no number of pixels"),
        ("size", 10**9, "no number of pixels"),
        ("size", -8, "no number of pixels"),
        ("seeds", [], "no runs"),
        ("seeds", [0, -1], "no whole number"),
        ("seeds", [0, 1.5], "no whole number"),
        ("classes", ["cat", "cat"], "one name"),
        ("classes", ["cat", ""], "no name"),
        ("classes", ["cat", 3], "no name"),
        ("classes", ["cat", "x" * 10_000], "one that no folder can have"),
        ("made", {"pictures": "", "answers": "", "asked": SHARED, "parameters": {}}, "its making"),
        (
            "made",
            {"pictures": "", "answers": "", "asked": [], "parameters": {"a": SHARED}},
            "its making",
        ),
        ("more", SHARED, "not those of a model"),
        ("size", 9, "weights of shape [2, 5, 192] after 243 inputs"),
        ("seeds", [0, 1, 2], "weights of shape [2, 5, 192] after 192 inputs"),
        ("classes", None, "damaged, or of another kind"),
        ("made", {"pictures": "a"}, "damaged, or of another kind"),
        ("weights", {}, "192 outputs instead of 1"),
    ],
)
def test_what_does_not_fit_together_is_refused(path, key, value, message):
    """With the reason and the command that mends it."""
    content = torch.load(path, weights_only=True)
    torch.save(content | {key: value}, path)
    with pytest.raises(InputError) as error:
        model.read(path)
    assert message in str(error.value)
    assert "dvc repro" in str(error.value)


def test_a_weight_that_is_not_finite_is_refused(path):
    """An altered file must not pass for a trained model."""
    content = torch.load(path, weights_only=True)
    content["weights"]["0.weight"][0, 0, 0] = float("nan")
    torch.save(content, path)
    with pytest.raises(InputError, match="a weight is not finite"):
        model.read(path)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(1).expand(2, 5, 10**9),
        torch.zeros(1, 1, 1).expand(2, 5, 192),
        torch.zeros(2, 192, 5).transpose(1, 2),
        torch.zeros(2, 5, 192, dtype=torch.float64),
        torch.zeros(2, 5, 192).to_sparse(),
        torch.empty(2, 5, 10**9, device="meta"),
    ],
    ids=["a billion", "one", "turned", "double", "sparse", "meta"],
)
def test_weights_that_are_not_stored_one_by_one_are_refused(path, tensor):
    """Stride 0 shows one number as many, whose room a computation would take."""
    content = torch.load(path, weights_only=True)
    content["weights"]["0.weight"] = tensor
    torch.save(content, path)
    with pytest.raises(InputError, match=r"0\.weight (is not of float32|has fewer numbers)"):
        model.read(path)


def test_a_file_that_unpacks_to_more_than_it_is_is_refused(path):
    """Nothing is unpacked; torch itself writes without compression."""
    with zipfile.ZipFile(path) as old:
        parts = {entry.filename: old.read(entry) for entry in old.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content if name.endswith("pkl") else bytes(50_000_000))
    assert path.stat().st_size < 1_000_000
    tracemalloc.start()
    with pytest.raises(InputError, match="it is compressed"):
        model.read(path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_what_is_no_file_is_not_read():
    """A device gives bytes without end."""
    with pytest.raises(InputError, match="/dev/zero: is no file"):
        model.read(Path("/dev/zero"))


def test_a_truncated_file_is_refused(path):
    """At every tenth of its length."""
    whole = path.read_bytes()
    for tenth in range(10):
        path.write_bytes(whole[: len(whole) * tenth // 10])
        with pytest.raises(InputError, match="not a model of this project"):
            model.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    """And a folder is not taken for one."""
    with pytest.raises(InputError, match=r"no\.pt: no such file"):
        model.read(tmp_path / "no.pt")
    with pytest.raises(InputError, match="is a folder"):
        model.read(tmp_path)


def test_one_flipped_bit_of_a_weight_is_noticed(path):
    """It would still be a weight; the line says which command makes the file anew."""
    content = torch.load(path, weights_only=True)
    content["weights"]["0.weight"].view(torch.uint8)[0, 0, 1] ^= 1
    torch.save(content, path)
    with pytest.raises(InputError, match=r"checksum does not fit.*dvc repro --force"):
        model.read(path)
