"""`python -m shallowdeep predict` answers for each picture, and says which it cannot read."""

import io
import json
import shutil
import sys
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pandas as pd
import pytest
import torch
from checkouts import start
from in_process import told
from PIL import Image
from safetensors.torch import load_file

import shallowdeep
from shallowdeep.commands.predict import predict
from shallowdeep.pictures.decoding import decode
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.settings import params
from shallowdeep.trained import model
from shallowdeep.trained.model import StoredLayer


@pytest.fixture
def folder(tmp_path):
    """A model of three runs on 8 x 8 pixels, two pictures and a text."""
    rng = np.random.default_rng(0)
    layers = [
        StoredLayer(
            *(rng.normal(0, 0.1, shape).astype(np.float32) for shape in ((3, n, m), (3, n)))
        )
        for m, n in ((192, 4), (4, 1))
    ]
    layers[-1].bias[:, 0] = 2, -2, -2  # the first run disagrees with the mean
    half = Normalisation((0.5,) * 3, (0.5,) * 3)
    trained = model.Model(layers, [0, 1, 2], ("cat", "dog"), 8, half)
    model.write(trained, tmp_path / "deep/weights.safetensors")
    for name in ("a b.png", "c.jpg"):
        pixels = rng.integers(0, 256, (30, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "note.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def ask(folder, monkeypatch, capfd):
    """The command in that folder, in this process: its status and what it prints."""
    monkeypatch.chdir(folder)

    def call(*arguments, stdin=""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        ended = told("predict", *arguments)
        out, err = capfd.readouterr()
        return (int(ended or 0), out, err) if len(ended) < 2 else (1, out, f"{ended}\n")

    return call


def test_the_probability_is_the_mean_over_the_runs(folder):
    """Of the class that is named, with its spread; plain PyTorch gives the same."""
    trained = model.read(folder / "deep")
    pixels = decode(str(folder / "a b.png"), size=8, max_pixels=1_000).pixels
    x = torch.from_numpy(pixels).flatten() / 255 * 2 - 1
    network = torch.nn.Sequential(torch.nn.Linear(192, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
    tensors = load_file(folder / "deep/weights.safetensors")
    runs = []
    for number in range(3):
        network.load_state_dict({key: tensor[number] for key, tensor in tensors.items()})
        runs.append(network(x).sigmoid().item())
    (found,) = predict(trained, [str(folder / "a b.png")], max_pixels=1_000)
    assert found.probability == pytest.approx(max(np.mean(runs), 1 - np.mean(runs)), abs=1e-5)
    assert found.std == pytest.approx(np.std(runs, ddof=1), abs=1e-5)
    assert found.label == ("dog" if np.mean(runs) > 0.5 else "cat")
    weight, bias = trained.layers[0]  # a single run of one layer, without a spread
    single = trained._replace(layers=[StoredLayer(weight[:1, :1], bias[:1, :1])], seeds=[0])
    (found,) = predict(single, [str(folder / "c.jpg")], max_pixels=1_000)
    assert found.std == 0


def test_a_probability_that_is_not_finite_is_refused(folder, ask):
    """One line that names the model; the weights themselves are finite."""
    trained = model.read(folder / "deep")
    layers = [StoredLayer(layer.weight * np.float32(1e38), layer.bias) for layer in trained.layers]
    layers[0].weight[:, :, ::2] *= -1
    model.write(trained._replace(layers=layers), folder / "deep/weights.safetensors")
    message = "predict: deep/weights.safetensors: a probability is not finite"
    status, out, err = ask("deep", "c.jpg")
    assert (status, out, err[: len(message)]) == (1, "", message)


def test_each_picture_gets_its_line(ask):
    """Path, class, probability and spread; what is no picture stops no others. Or as JSON."""
    asked = ("deep/weights.safetensors", "note.txt", "a b.png", "c.jpg", "gone.png")
    status, out, err = ask(*asked)
    rows = [line.split("\t") for line in out.splitlines()]
    assert [row[0] for row in rows] == ["a b.png", "c.jpg"]
    assert all(row[1] in ("cat", "dog") and " +- " in row[2] for row in rows)
    no_picture, gone = err.splitlines()
    assert no_picture.startswith("note.txt: no picture")
    assert gone.startswith("gone.png: cannot be read")
    assert status == 1
    status, out, err = ask("--json", *asked)
    error, found, *_ = map(json.loads, out.splitlines())
    assert found.keys() == {"path", "label", "probability", "std", "note"}
    assert error.keys() == {"path", "error"}
    assert (status, err) == (1, "")


def test_a_folder_is_all_that_lies_below_it(folder, ask):
    """In the order of their names, hidden files and thumbnails left out, whatever stands beside."""
    for name in ("z/10.jpg", "z/9/1.jpg", "z/.hidden.jpg", "z/@eaDir/10.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "c.jpg", folder / name)
    status, out, _ = ask("deep", "z", "a b.png", "z/10.jpg")
    paths = [line.partition("\t")[0] for line in out.splitlines()]
    assert (status, paths) == (0, ["z/10.jpg", "z/9/1.jpg", "a b.png", "z/10.jpg"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_a_list_comes_on_standard_input(ask, end):
    """With a name a line, or as `find -print0` writes it; many pictures are answered like few."""
    names = ["c.jpg", "a b.png"] * 40 + ["note.txt", "c.jpg"]
    status, out, err = ask("deep", "-", stdin=end.join(names) + end)
    lines = out.splitlines()
    assert [line.partition("\t")[0] for line in lines] == [n for n in names if n != "note.txt"]
    assert (status, len(set(lines))) == (1, 2)
    assert err.startswith("note.txt: no picture") and err.count("\n") == 1


def test_nothing_to_ask_is_an_error(folder, ask):
    """One line, before anything is answered."""
    (folder / "empty").mkdir()
    for arguments, message in (
        (["deep", "-"], "standard input: names no picture; it takes a path a line\n"),
        (["deep", "c.jpg", "empty"], "empty: there is no file in this folder\n"),
        (["c.jpg", "c.jpg"], "c.jpg: not a model of this project"),
    ):
        status, out, err = ask(*arguments, stdin="\n")
        assert (status, out) == (1, "")
        assert err.startswith(f"predict: {message}") and err.count("\n") == 1


def test_control_characters_of_a_class_stay_off_the_terminal(folder, ask):
    """A model file may come from anyone."""
    trained = model.read(folder / "deep")._replace(classes=("\x1b[31mcat", "\x1b]0;x\a"))
    model.write(trained, folder / "deep/weights.safetensors")
    status, out, _ = ask("deep", "c.jpg")
    assert status == 0 and "\x1b" not in out and "\\x1b" in out


def test_a_reader_that_has_seen_enough_ends_it(folder):
    """As `head` does, without a traceback; modules in that folder are not imported."""
    for name in ("torch", "typing", "numpy", "argparse"):
        (folder / f"{name}.py").write_text("open('executed', 'w')\n")
    line = f"{sys.executable} -m shallowdeep predict deep - | head -n 1; exit ${{PIPESTATUS[0]}}"
    process = start(folder, "bash", "-c", line, stdin=PIPE, stderr=PIPE)
    out, err = process.communicate("c.jpg\n" * 3_000)
    assert (process.returncode, err) == (141, "")
    assert out.startswith("c.jpg\t")
    assert not (folder / "executed").exists()


def test_pictures_that_the_model_was_trained_on_are_marked(project, monkeypatch, capfd):
    """Fold 0's, by their pixels under any name; those that it tests are not. And the accuracy."""
    monkeypatch.chdir(project)
    manifest = shallowdeep.results().manifest.set_index("path")["fold"]
    pictures = Path(params.read(project / "params.yaml").data.dir)
    paths = {part: str(pictures / manifest[manifest == part].index[0]) for part in (0, 1, 2)}
    shutil.copy(paths[2], "renamed.jpg")
    told("predict", "models/deep", *paths.values(), "renamed.jpg")
    out, err = capfd.readouterr()
    notes = [line.split("\t")[3:] for line in out.splitlines()]
    assert notes == [[], ["validated on"], ["trained on"], ["trained on"]]
    scores = pd.read_csv("results/scores.csv").set_index(["model", "split", "score"])
    ours = scores.loc["deep ensemble", "test", "balanced_accuracy"]
    mean, low, high = ours[["mean", "low", "high"]]
    assert f"balanced accuracy of {100 * mean:.1f} % ({100 * low:.1f} to {100 * high:.1f})" in err
    lock = Path("dvc.lock").read_text()
    for old, new in (("data/prepared", "data/other"), ("path: models\n", "path: others\n")):
        Path("dvc.lock").write_text(lock.replace(old, new))
        told("predict", "models/deep", paths[2])
        out, err = capfd.readouterr()
        assert ("trained on" in out) == (old != "data/prepared")
        assert ("accuracy" in err) == (old == "data/prepared")
