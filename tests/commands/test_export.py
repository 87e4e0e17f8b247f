"""`python -m shallowdeep export` gives plain PyTorch the same network."""

import json
import re
import sys

import pytest
import torch
from checkouts import ROOT, run
from safetensors import safe_open

from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.training import model
from shallowdeep.training.made import Made
from shallowdeep.training.network import draw

EXPORT = (sys.executable, "-m", "shallowdeep", "export")


@pytest.fixture
def trained(tmp_path):
    """A shallow network of three runs on 128 x 128 pixels, as the README's."""
    generators = [torch.Generator().manual_seed(seed) for seed in (7, 8, 2**60)]
    normalisation = Normalisation((0.5, 0.4, 0.5), (0.5, 0.25, 0.5))
    made = Made("", "", [1], {})
    layers = draw(49152, [4], generators)
    trained = model.Model(layers, [7, 8, 2**60], ("cat", "dog"), 128, normalisation, made)
    (tmp_path / "models").mkdir()
    model.write(trained, tmp_path / "models/shallow.pt")
    return trained


@pytest.mark.parametrize("number", [0, 2])
def test_the_lines_of_the_readme_give_the_same_probabilities(
    tmp_path, trained, monkeypatch, number
):
    """To the letter, for the run that was asked for, with the metadata's mean and std."""
    said = run(
        tmp_path, *EXPORT, "models/shallow.pt", "shallow.safetensors", "--run", str(number)
    ).strip()
    assert said == f"shallow.safetensors: run {number} of 3, 49152 -> 4 -> 1"
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len([line for line in code.splitlines() if line]) == 4
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    with safe_open("shallow.safetensors", "pt") as file:
        about = json.loads(file.metadata()["shallowdeep"])
    assert (about["classes"], about["size"]) == (["cat", "dog"], 128)
    assert (about["run"], about["seed"]) == (number, str(trained.seeds[number]))
    pictures = torch.randint(0, 256, (4, 3, 128, 128), dtype=torch.uint8)
    mean, std = (torch.tensor(about[name])[:, None, None] for name in ("mean", "std"))
    with torch.no_grad():
        found = names["network"](((pictures / 255 - mean) / std).flatten(1))[:, 0]
    expected = trained.probabilities(pictures, torch.arange(4))[number]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert not torch.allclose(found, trained.probabilities(pictures, torch.arange(4))[1], atol=1e-4)


def test_a_state_dict_holds_the_same(tmp_path, trained):
    """Where the file ends with .pt; and both kinds have the same bytes each time."""
    for name in ("a.pt", "b/a.pt", "a.safetensors", "b/a.safetensors"):
        run(tmp_path, *EXPORT, "models/shallow.pt", name, "--run", "1")
    weights = torch.load(tmp_path / "a.pt", weights_only=True)
    assert list(weights) == [f"{i}.{part}" for i in (0, 2) for part in ("weight", "bias")]
    assert torch.equal(weights["0.bias"], trained.layers[0].bias[1, :, 0])
    for name in ("a.pt", "a.safetensors"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("models/shallow.pt", "a.pt", "--run", "3"), "--run: 3 is not among 0 to 2"),
        (("models/shallow.pt", "a.pt", "--run", "-1"), "--run: -1 is not among 0 to 2"),
        (("models/shallow.pt", "a.onnx"), "a.onnx: ends neither with .safetensors nor with .pt"),
        (
            ("models/shallow.pt", "models/shallow.pt"),
            "models/shallow.pt: is there already; name a new file",
        ),
        (("models/wide.pt", "a.pt"), "models/wide.pt: no such file; `dvc repro` trains the models"),
    ],
)
@pytest.mark.usefixtures("trained")
def test_what_cannot_be_is_one_line(tmp_path, words, line):
    """And nothing is written."""
    before = (tmp_path / "models/shallow.pt").read_bytes()
    said = run(tmp_path, *EXPORT, *words, status=1)
    assert said.startswith(f"export: {line}")
    assert said.count("\n") == 1
    assert (tmp_path / "models/shallow.pt").read_bytes() == before
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["shallow.pt"]


def test_a_model_of_other_parameters_is_refused(project):
    """As `predict` refuses it."""
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("lr: 0.01", "lr: 0.02"))
    said = run(project, *EXPORT, "models/shallow.pt", "a.pt", status=1)
    assert said.startswith("export: models/shallow.pt: these results are of lr 0.01")
