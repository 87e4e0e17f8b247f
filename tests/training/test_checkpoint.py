"""A training that resumes from a checkpoint gives the bits of one that was never interrupted."""

import os
import time

import pytest
import torch
from checkouts import start, with_environment
from in_process import dvc_main
from noise import interrupted, trained

from shallowdeep.files.checkout import CHECKPOINTS, KEPT
from shallowdeep.training import checkpoint, sgd
from shallowdeep.training.checkpoint import Checkpoints, checksum

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
    """Train 6 epochs of 6 batches; return all weights and the history."""
    place = Checkpoints("train-x", inputs) if inputs else None
    options = {"epochs": 6, "place": place} | options
    layers, history = trained(pictures, [3, 2], [0, 1], solver=solver, **options)
    if place:
        place.remove()
    return [*(tensor for layer in layers for tensor in layer), *map(torch.stack, history)]


@pytest.fixture(scope="module")
def expected(pictures):
    """What an undisturbed training gives."""
    return fit(pictures)


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
    assert whole == (2 * len(options.get("lr", "1")) if solver == "primal" else 1) * 6 * 6
    stops = [("_step", after) for after in (0, 1, 4, 8)]
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
    kinds = [("train-x", "1"), ("train-y", "1"), ("train-x", "2")]
    places = [Checkpoints(stage, {"params.yaml": value}) for stage, value in kinds]
    assert [place.exist() for place in places] == [True, False, False]
    (path,) = CHECKPOINTS.iterdir()
    os.utime(path, (time.time() - KEPT - 1,) * 2)
    assert not Checkpoints("train-x", {"params.yaml": "1"}).exist()
    assert content() == []


def test_an_experiment_apart_leaves_its_checkpoint_in_the_checkout(
    pictures, expected, tmp_path, monkeypatch
):
    """DVC removes the folder of an experiment of `--temp` or of its queue; the next has another."""
    folders = [tmp_path / ".dvc/tmp/exps" / name for name in ("standalone/tmp1", "tmp2")]
    for folder in folders:
        folder.mkdir(parents=True)
    monkeypatch.chdir(folders[0])
    with interrupted("epoch", 3):
        fit(pictures, inputs={"a": "1"})
    assert len(list((tmp_path / CHECKPOINTS).iterdir())) == 1
    monkeypatch.chdir(folders[1])
    assert Checkpoints("train-x", {"a": "1"}).exist()
    assert_same_bits(fit(pictures, inputs={"a": "1"}), expected)
    assert not any((folder / CHECKPOINTS).exists() for folder in (*folders, tmp_path))


def spoil(path, how):
    """Damage a checkpoint, or put one of another training there whose checksum is right."""
    data = path.read_bytes()
    middle = len(data) // 2
    damaged = {
        "truncated": data[:-100],
        "flipped": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "empty": b"",
        "words": b"words",
    }
    if how in damaged:
        path.write_bytes(damaged[how])
        return
    saved = torch.load(path, weights_only=True)
    state = saved["state"]
    name, tensor = next((key, value) for key, value in state.items() if value.ndim == 3)
    state |= {"shape": {name: tensor[:, :1]}, "type": {name: tensor.double()}}.get(how, {})
    if how == "missing":
        del state[name]
    if how == "fingerprint":
        saved["fingerprint"] = "another"
    torch.save(saved | {"sha256": checksum(state.values())}, path)


@pytest.mark.parametrize(
    "how", ["truncated", "flipped", "empty", "words", "fingerprint", "shape", "type", "missing"]
)
def test_a_damaged_or_foreign_checkpoint_is_not_used(pictures, expected, how, steps):
    """The training starts again, and gives what it would have given."""
    with interrupted("epoch", 4):
        fit(pictures, inputs={"a": "1"})
    (path,) = CHECKPOINTS.glob("*.pt")
    spoil(path, how)
    del steps[:]
    assert_same_bits(fit(pictures, inputs={"a": "1"}), expected)
    assert len(steps) == 6 * 6


def test_a_killed_stage_resumes(project, monkeypatch):
    """With DVC, after SIGKILL: the second run says so, and gives what an undisturbed one gives."""
    monkeypatch.undo()
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("\nepochs: 2 ", "\nepochs: 400 "))
    code = "from shallowdeep.files.arithmetic import pin_arithmetic; pin_arithmetic()"
    code += "; import shallowdeep.training.checkpoint as c, runpy, sys; c.EVERY = 0"
    script = f"{code}; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    stage = ["docker/run", "python", "-c", script, "stages/train.py", "deep"]
    with start(with_environment(project), *stage, env={"DVC_STAGE": "train-deep"}) as process:
        while not list(project.glob(".checkpoints/train-deep.*.pt")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    message = "train-deep: resumes from its last checkpoint"
    assert message in dvc_main(project, "repro", "train-deep")
    resumed = (project / "models/deep/weights.safetensors").read_bytes()
    again = dvc_main(project, "repro", "--force", "--single-item", "train-deep")
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
