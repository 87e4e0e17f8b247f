"""A training that resumes from a checkpoint gives the bits of one that was never interrupted."""

import os
import signal
import subprocess
import time

import pytest
import torch
from checkouts import run, with_environment
from noise import interrupted, trained

from shallowdeep.files.checkout import CHECKPOINTS, KEPT
from shallowdeep.files.checksums import of_tensors
from shallowdeep.training import checkpoint, sgd
from shallowdeep.training.checkpoint import Checkpoints

SOLVERS = ("primal", "dual")


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """In a folder of its own, and with a checkpoint before every batch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "EVERY", 0)


@pytest.fixture
def steps(monkeypatch):
    """All steps of the trainings of a test."""
    step, done = sgd.Runs._step, []
    monkeypatch.setattr(sgd.Runs, "_step", lambda *rest: done.append(None) or step(*rest))
    return done


def fit(pictures, *, solver="dual", inputs=None, **options):
    """Train 8 epochs of 6 batches; return all weights and the history."""
    place = Checkpoints("train-x", inputs) if inputs else None
    options = {"epochs": 8, "place": place} | options
    layers, history = trained(pictures, [3, 2], [0, 1, 2], solver=solver, **options)
    if place:
        place.remove()
    return [*(tensor for layer in layers for tensor in layer), *map(torch.stack, history)]


def assert_same_bits(one, other):
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


MOVING = {"keep": "best", "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}


LISTED = {"keep": "best", "lr": (0.05, 0.2)}


@pytest.mark.parametrize("options", [{"keep": "last"}, {"keep": "best"}, MOVING, LISTED], ids=str)
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_same_bits_as_without_interruption(pictures, solver, options, steps):
    """Between epochs, and at any batch of one; no step is repeated. Nothing of it is left."""
    settings = {"solver": solver, **options}
    expected = fit(pictures, **settings)
    whole = len(steps)
    assert whole == (3 * len(options.get("lr", "1")) if solver == "primal" else 1) * 8 * 6
    stops = [("_step", after) for after in (0, 1, 4, 6, 11)]
    for method, after in [*stops, ("epoch", 2), ("epoch", 1)]:
        with interrupted(method, after):
            fit(pictures, **settings, inputs={"a": "1"})
        assert content() != []
    assert_same_bits(fit(pictures, **settings, inputs={"a": "1"}), expected)
    assert len(steps) == 2 * whole
    assert not CHECKPOINTS.exists()


def content():
    return [path.name for path in CHECKPOINTS.glob("*")]


def test_a_checkpoint_of_another_stage_or_of_other_inputs_is_not_used(pictures):
    """It may be another experiment's, and stays; after a week it is removed."""
    with interrupted("epoch", 3):
        fit(pictures, inputs={"params.yaml": "1"})
    assert Checkpoints("train-x", {"params.yaml": "1"}).exist()
    assert not Checkpoints("train-y", {"params.yaml": "1"}).exist()
    assert not Checkpoints("train-x", {"params.yaml": "2"}).exist()
    assert len(content()) == 1
    (path,) = CHECKPOINTS.iterdir()
    os.utime(path, (time.time() - KEPT - 1,) * 2)
    assert not Checkpoints("train-x", {"params.yaml": "1"}).exist()
    assert content() == []


def test_an_experiment_apart_leaves_its_checkpoint_in_the_checkout(pictures, tmp_path, monkeypatch):
    """DVC removes the folder of an experiment of `--temp` or of its queue; the next has another."""
    expected = fit(pictures)
    for name in ("standalone/tmp1", "tmp2"):
        folder = tmp_path / ".dvc/tmp/exps" / name
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        if name == "tmp2":
            assert Checkpoints("train-x", {"a": "1"}).exist()
            assert_same_bits(fit(pictures, inputs={"a": "1"}), expected)
        else:
            with interrupted("epoch", 3):
                fit(pictures, inputs={"a": "1"})
            assert len(list((tmp_path / CHECKPOINTS).iterdir())) == 1
        assert not (folder / CHECKPOINTS).exists()
    assert not (tmp_path / CHECKPOINTS).exists()


def altered(data, how):
    """A checkpoint that is damaged, or of another training whose checksum is right."""
    if how == "truncated":
        return data[:-100]
    if how == "flipped":
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    if how in ("empty", "words"):
        return b"words" if how == "words" else b""
    path = CHECKPOINTS / "other.pt"
    path.write_bytes(data)
    saved = torch.load(path, weights_only=True)
    state = saved["state"]
    name, tensor = next((key, value) for key, value in state.items() if value.ndim == 3)
    if how == "fingerprint":
        saved["fingerprint"] = "another"
    elif how == "shape":
        state[name] = tensor[:, :1]
    elif how == "type":
        state[name] = tensor.double()
    else:
        del state[name]
    torch.save(saved | {"sha256": of_tensors(state.values())}, path)
    data = path.read_bytes()
    path.unlink()
    return data


@pytest.mark.parametrize(
    "how",
    ["truncated", "flipped", "empty", "words", "fingerprint", "shape", "type", "missing"],
)
def test_a_damaged_or_foreign_checkpoint_is_not_used(pictures, how, steps):
    """The training starts again, and gives what it would have given."""
    expected = fit(pictures)
    with interrupted("epoch", 4):
        fit(pictures, inputs={"a": "1"})
    (path,) = CHECKPOINTS.glob("*.pt")
    path.write_bytes(altered(path.read_bytes(), how))
    del steps[:]
    assert_same_bits(fit(pictures, inputs={"a": "1"}), expected)
    assert len(steps) == 8 * 6


def test_a_killed_stage_resumes(project):
    """With DVC, after SIGKILL: the second run says so, and gives what an undisturbed one gives."""
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("\nepochs: 2 ", "\nepochs: 400 "))
    code = "from shallowdeep.files.arithmetic import pin_arithmetic; pin_arithmetic()"
    code += "; import shallowdeep.training.checkpoint as c, runpy, sys; c.EVERY = 0"
    script = f"{code}; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    with_environment(project)
    stage = ["docker/run", "python", "-c", script, "stages/train.py", "deep"]
    process = subprocess.Popen(stage, cwd=project, env=os.environ | {"DVC_STAGE": "train-deep"})
    while not list(project.glob(".checkpoints/train-deep.*.pt")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    message = "train-deep: resumes from its last checkpoint"
    assert message in run(project, "dvc", "repro", "train-deep")
    resumed = (project / "models/deep/weights.safetensors").read_bytes()
    again = run(project, "dvc", "repro", "--force", "--single-item", "train-deep")
    assert message not in again
    assert (project / "models/deep/weights.safetensors").read_bytes() == resumed
    assert not (project / ".checkpoints").exists()


def test_a_stage_that_is_done_leaves_nothing():
    """Not even an unfinished file of a killed process."""
    place = Checkpoints("train-x", {"a": "1"})
    path = place.of(0)._path
    path.parent.mkdir()
    for name in (path.name, f".{path.stem}.0-1-abc.tmp.pt"):
        path.with_name(name).write_bytes(b"")
    place.remove()
    assert not path.parent.exists()
