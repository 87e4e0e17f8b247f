"""A training that goes on from a checkpoint gives the bits of one that was never interrupted."""

import os
import signal
import subprocess
import time

import pytest
import torch
from checkouts import run, with_environment
from noise import trained

from shallowdeep.files.checkout import CHECKPOINTS, KEPT
from shallowdeep.files.checksums import of_tensors
from shallowdeep.training import checkpoint, sgd
from shallowdeep.training.checkpoint import Checkpoints
from shallowdeep.training.ranks import Team


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """In a folder of its own, and with a checkpoint after every epoch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "EVERY", 0)


class StoppedError(Exception):
    """The training is interrupted."""


def fit(pictures, *, solver, keep, stop_after=None, inputs=None):
    """Train 8 epochs; returns the weights and the history."""
    place = Checkpoints("train-x", inputs) if inputs else None
    reported = []

    def report(epoch):
        reported.append(epoch)
        if len(reported) == stop_after:
            raise StoppedError

    options = {"epochs": 8, "keep": keep, "report": report, "place": place}
    layers, history = trained(pictures, [3, 2], [0, 1, 2], solver=solver, **options)
    if place:
        place.remove()
    layers = [tensor for layer in layers for tensor in layer]
    return layers, [torch.stack(epoch) for epoch in history]


@pytest.mark.parametrize("keep", ["last", "best"])
@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_the_same_bits_as_without_interruption(pictures, solver, keep):
    """Weights and history; interrupted twice. Afterwards nothing of it is left."""
    settings = {"solver": solver, "keep": keep}
    layers, history = fit(pictures, **settings)
    for stop_after in (3, 6):
        with pytest.raises(StoppedError):
            fit(pictures, **settings, stop_after=stop_after, inputs={"a": "1"})
    again, past = fit(pictures, **settings, inputs={"a": "1"})
    assert all(torch.equal(a, b) for a, b in zip(layers, again, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(history, past, strict=True))
    assert not CHECKPOINTS.exists()


@pytest.mark.parametrize("keep", ["last", "best"])
@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_the_same_bits_after_an_interruption_within_an_epoch(pictures, solver, keep, monkeypatch):
    """At any of its batches, the first and the last too: an epoch here has 6 of 16 pictures."""
    settings = {"solver": solver, "keep": keep}
    layers, history = fit(pictures, **settings)
    step = sgd.Runs._step
    for stop_at in (0, 1, 4, 6, 11, 25):
        done = []

        def stopping(*arguments, stop_at=stop_at, done=done):
            if len(done) == stop_at:
                raise StoppedError
            done.append(None)
            return step(*arguments)

        monkeypatch.setattr(sgd.Runs, "_step", stopping)
        with pytest.raises(StoppedError):
            fit(pictures, **settings, inputs={"a": "1"})
        assert content() != []
    seen = []
    monkeypatch.setattr(sgd.Runs, "_step", lambda *rest: seen.append(None) or step(*rest))
    again, past = fit(pictures, **settings, inputs={"a": "1"})
    assert len(seen) == (3 if solver == "primal" else 1) * 8 * 6 - sum((0, 1, 4, 6, 11, 25))
    assert all(torch.equal(a, b) for a, b in zip(layers, again, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(history, past, strict=True))


def content():
    return [path.name for path in CHECKPOINTS.glob("*")]


def test_a_checkpoint_of_other_inputs_is_not_used(pictures):
    """It may be another experiment's; a week later nobody is coming for it."""
    with pytest.raises(StoppedError):
        fit(pictures, solver="dual", keep="last", stop_after=3, inputs={"params.yaml": "1"})
    assert len(content()) == 1
    assert not Checkpoints("train-x", {"params.yaml": "2"}).exist()
    assert len(content()) == 1
    (path,) = CHECKPOINTS.iterdir()
    os.utime(path, (time.time() - KEPT - 1,) * 2)
    assert not Checkpoints("train-x", {"params.yaml": "2"}).exist()
    assert content() == []


def test_an_experiment_apart_leaves_its_checkpoint_in_the_checkout(pictures, tmp_path, monkeypatch):
    """DVC removes the folder of an experiment of `--temp` or of its queue; the next has another."""
    expected, _ = fit(pictures, solver="dual", keep="last")
    for name in ("standalone/tmp1", "tmp2"):
        folder = tmp_path / ".dvc/tmp/exps" / name
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        if name == "tmp2":
            assert Checkpoints("train-x", {"a": "1"}).exist()
            layers, _ = fit(pictures, solver="dual", keep="last", inputs={"a": "1"})
        else:
            with pytest.raises(StoppedError):
                fit(pictures, solver="dual", keep="last", stop_after=3, inputs={"a": "1"})
            assert len(list((tmp_path / CHECKPOINTS).iterdir())) == 1
        assert not (folder / CHECKPOINTS).exists()
    assert all(torch.equal(a, b) for a, b in zip(expected, layers, strict=True))
    assert not (tmp_path / CHECKPOINTS).exists()


def test_another_stage_keeps_its_own(pictures):
    """Shallow and deep do not take each other's."""
    with pytest.raises(StoppedError):
        fit(pictures, solver="dual", keep="last", stop_after=3, inputs={"a": "1"})
    assert not Checkpoints("train-y", {"a": "1"}).exist()
    assert len(content()) == 1


def test_a_stage_may_have_any_name():
    """What tells a team's from one process's stands behind it."""
    place = Checkpoints("train-proof2of2", {"a": "1"})
    place.of(0).offer(lambda: [torch.zeros(1)], finished=False)
    assert [place.exist(Team(size=size)) for size in (1, 2)] == [True, False]


def test_a_checkpoint_of_another_training_under_this_ones_name_is_not_used(pictures):
    """The fingerprint is in the file too."""
    expected, _ = fit(pictures, solver="dual", keep="last")
    found = []
    for inputs in ({"a": "2"}, {"a": "1"}):
        with pytest.raises(StoppedError):
            fit(pictures, solver="dual", keep="last", stop_after=3, inputs=inputs)
        (path,) = set(CHECKPOINTS.iterdir()) - {old for old, _ in found}
        found.append((path, path.read_bytes()))
    path.write_bytes(found[0][1])
    assert Checkpoints("train-x", {"a": "1"}).of(0).read() is None
    layers, _ = fit(pictures, solver="dual", keep="last", inputs={"a": "1"})
    assert all(torch.equal(a, b) for a, b in zip(expected, layers, strict=True))


@pytest.mark.parametrize("change", ["epochs", "shape", "type", "nan", "missing", "answers"])
def test_a_state_that_does_not_fit_the_training_is_not_used(pictures, change):
    """Whatever its checksum says: too many epochs, other shapes and types, no numbers."""
    expected, _ = fit(pictures, solver="dual", keep="last")
    with pytest.raises(StoppedError):
        fit(pictures, solver="dual", keep="last", stop_after=4, inputs={"a": "1"})
    (path,) = CHECKPOINTS.glob("*.pt")
    content = torch.load(path, weights_only=True)
    tensors = content["tensors"]
    past = next(i for i, tensor in enumerate(tensors) if tensor.shape == (3, 3, 3))
    if change == "epochs":
        tensors[past] = tensors[past].repeat(4, 1, 1)
    elif change == "shape":
        tensors[0] = tensors[0][:, :1]
    elif change == "type":
        tensors[0] = tensors[0].double()
    elif change == "nan":
        tensors[0][0, 0, 0] = torch.nan
    elif change == "missing":
        del tensors[past:]
    else:
        del tensors[-1]
    content["sha256"] = of_tensors(tensors)
    torch.save(content, path)
    layers, _ = fit(pictures, solver="dual", keep="last", inputs={"a": "1"})
    assert all(torch.equal(a, b) for a, b in zip(expected, layers, strict=True))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "no model"])
def test_a_damaged_checkpoint_is_not_used(pictures, damage):
    """The training starts again, and gives what it would have given."""
    expected, _ = fit(pictures, solver="dual", keep="last")
    with pytest.raises(StoppedError):
        fit(pictures, solver="dual", keep="last", stop_after=4, inputs={"a": "1"})
    (path,) = CHECKPOINTS.glob("*.pt")
    data = bytearray(path.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 1
    path.write_bytes(
        {"truncated": data[:-100], "flipped": data, "empty": b"", "no model": b"words"}[damage]
    )
    assert Checkpoints("train-x", {"a": "1"}).of(0).read() is None
    layers, _ = fit(pictures, solver="dual", keep="last", inputs={"a": "1"})
    assert all(torch.equal(a, b) for a, b in zip(expected, layers, strict=True))


def test_a_killed_stage_goes_on(project):
    """With DVC, after SIGKILL: the second run says so, and gives what an undisturbed one gives."""
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("\nepochs: 2 ", "\nepochs: 400 "))
    code = "from shallowdeep.files.arithmetic import pin_arithmetic; pin_arithmetic()"
    code += "; import shallowdeep.training.checkpoint as c, runpy, sys; c.EVERY = 0"
    script = f"{code}; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    with_environment(project)
    stage = ["docker/run", "python", "-c", script, "stages/train.py", "deep"]
    process = subprocess.Popen(stage, cwd=project)
    while not list(project.glob(".checkpoints/train-deep.*.pt")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    said = run(project, "dvc", "repro", "train-deep")
    assert "train-deep: goes on where it was interrupted" in said
    resumed = (project / "models/deep.pt").read_bytes()
    assert "goes on" not in run(project, "dvc", "repro", "--force", "--single-item", "train-deep")
    assert (project / "models/deep.pt").read_bytes() == resumed
    assert not (project / ".checkpoints").exists()


def test_a_stage_that_is_done_leaves_nothing(tmp_path, monkeypatch):
    """Not even what a killed process had not finished."""
    monkeypatch.chdir(tmp_path)
    place = Checkpoints("train-x", {"a": "1"})
    path = place.of(0)._path
    path.parent.mkdir()
    for name in (path.name, f".{path.stem}.0-1-abc.tmp.pt"):
        path.with_name(name).write_bytes(b"")
    place.remove()
    assert not path.parent.exists()
