"""`python -m shallowdeep predict` answers for each picture, and says which it cannot read."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from shallowdeep.commands.predict import main, predict
from shallowdeep.pictures.decoding import decode
from shallowdeep.prepared.normalisation import Normalisation
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
    half = Normalisation((0.5,) * 3, (0.5,) * 3)
    trained = model.Model(layers, [0, 1, 2], ("cat", "dog"), 8, half)
    model.write(trained, tmp_path / "deep/weights.safetensors")
    for name in ("a b.png", "c.jpg"):
        pixels = rng.integers(0, 256, (30, 20, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "note.txt").write_text("no picture")
    return tmp_path


def ask(folder, *arguments, stdin=None):
    command = [sys.executable, "-m", "shallowdeep", "predict", *arguments]
    return subprocess.run(
        command, cwd=folder, input=stdin, capture_output=True, text=True, check=False
    )


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


def test_a_single_run_has_no_spread(folder):
    """And a model of one layer is logistic regression."""
    trained = model.read(folder / "deep")
    weight, bias = trained.layers[0]
    single = trained._replace(layers=[StoredLayer(weight[:1, :1], bias[:1, :1])], seeds=[0])
    (found,) = predict(single, [str(folder / "c.jpg")], max_pixels=1_000)
    assert found.std == 0


def test_a_probability_that_is_not_finite_is_refused(folder, monkeypatch, capsys):
    """One line that names the model; the weights themselves are finite."""
    trained = model.read(folder / "deep")
    layers = [StoredLayer(layer.weight * np.float32(1e38), layer.bias) for layer in trained.layers]
    layers[0].weight[:, :, ::2] *= -1
    model.write(trained._replace(layers=layers), folder / "deep/weights.safetensors")
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as ended:
        main(["deep", "c.jpg"])
    assert str(ended.value.code).startswith(
        "predict: deep/weights.safetensors: a probability is not finite"
    )
    assert capsys.readouterr().out == ""


def test_each_picture_gets_its_line(folder):
    """Path, class, probability and spread, tab by tab."""
    done = ask(folder, "deep", "a b.png", "c.jpg")
    assert done.returncode == 0
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[0] for row in rows] == ["a b.png", "c.jpg"]
    assert all(row[1] in ("cat", "dog") and " +- " in row[2] for row in rows)


def test_what_is_no_picture_does_not_stop_the_others(folder):
    """It gets its line, and the exit status is 1."""
    done = ask(folder, "deep", "note.txt", "c.jpg", "gone.png")
    assert done.returncode == 1
    assert done.stdout.startswith("c.jpg\t")
    assert done.stderr.splitlines()[0].startswith("note.txt: no picture")
    assert done.stderr.splitlines()[1].startswith("gone.png: cannot be read")


def test_a_folder_is_all_that_lies_below_it(folder):
    """In the order of their names, hidden files and thumbnails left out, whatever stands beside."""
    for name in ("z/10.jpg", "z/9/1.jpg", "z/.hidden.jpg", "z/@eaDir/10.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "c.jpg", folder / name)
    done = ask(folder, "deep", "z", "a b.png", "z/10.jpg")
    assert done.returncode == 0
    paths = [line.partition("\t")[0] for line in done.stdout.splitlines()]
    assert paths == ["z/10.jpg", "z/9/1.jpg", "a b.png", "z/10.jpg"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_a_list_comes_on_standard_input(folder, end):
    """With a name a line, or as `find -print0` writes it; many pictures are answered like few."""
    names = ["c.jpg", "a b.png"] * 40 + ["note.txt", "c.jpg"]
    done = ask(folder, "deep", "-", stdin=end.join(names) + end)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.partition("\t")[0] for line in lines] == [n for n in names if n != "note.txt"]
    assert len(set(lines)) == 2
    assert done.stderr.startswith("note.txt: no picture") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-"], "predict: standard input: names no picture; it takes a path a line\n"),
        (["c.jpg", "empty"], "predict: empty: there is no file in this folder\n"),
    ],
)
def test_nothing_to_look_at_is_an_error(folder, arguments, message):
    """Before anything is answered."""
    (folder / "empty").mkdir()
    done = ask(folder, "deep", *arguments, stdin="\n")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)


def test_a_reader_that_has_seen_enough_ends_it(folder):
    """As `head` does; no traceback."""
    line = f"{sys.executable} -m shallowdeep predict deep - | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        input="c.jpg\n" * 3_000,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, "")
    assert done.stdout.startswith("c.jpg\t")


def test_machines_get_json(folder):
    """One object a line, errors included."""
    done = ask(folder, "--json", "deep/weights.safetensors", "c.jpg", "note.txt")
    found, error = map(json.loads, done.stdout.splitlines())
    assert found.keys() == {"path", "label", "probability", "std"}
    assert error.keys() == {"path", "error"}
    assert (done.returncode, done.stderr) == (1, "")


def test_what_is_no_model_is_named(folder):
    """One line, no traceback."""
    done = ask(folder, "c.jpg", "c.jpg")
    assert done.returncode == 1
    assert done.stderr.startswith("predict: c.jpg: not a model of this project")
    assert len(done.stderr.splitlines()) == 1


def test_control_characters_of_a_class_stay_off_the_terminal(folder):
    """A model file may come from anyone."""
    trained = model.read(folder / "deep")._replace(classes=("\x1b[31mcat", "\x1b]0;x\a"))
    model.write(trained, folder / "deep/weights.safetensors")
    done = ask(folder, "deep", "c.jpg")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout and "\\x1b" in done.stdout


@pytest.mark.parametrize("name", ["torch", "typing", "numpy", "argparse"])
def test_a_module_in_a_foreign_folder_is_not_imported(folder, name):
    """Python's `-m` would take it for the real one."""
    (folder / f"{name}.py").write_text("open('executed', 'w')\n")
    assert ask(folder, "deep", "c.jpg").returncode == 0
    assert not (folder / "executed").exists()
