"""The live view of a training: TensorBoard's files, a folder for each group of runs."""

import struct

import numpy as np
import pytest
from noise import CPU
from tensorboardX.proto.event_pb2 import Event

from shallowdeep.trained.history import MEASURES
from shallowdeep.training import fitting
from shallowdeep.training.fitting import Fitting, seeds
from shallowdeep.training.live import Live
from shallowdeep.training.sgd import Settings

SETTINGS = Settings([5, 3], epochs=4, batch_size=16, lr=0.05, keep="last")
STEPS = [(number, measure, epoch) for number, measure in enumerate(MEASURES) for epoch in range(4)]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STAGE_LIVE", "1")


def fit(pictures, settings=SETTINGS):
    by_fold = seeds(0, folds=1, runs=3)
    one = Fitting(pictures, settings, by_fold, solver="dual", device=CPU)
    return one.fit(curves=Live("deep"))


def scalars(file):
    """Values of an event file by measure and step. A record: its length, 4 bytes, itself, 4."""
    found, content = {}, file.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        event = Event.FromString(content[12 : 12 + length])
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
        content = content[16 + length :]
    return found


def test_every_epoch_of_every_group_is_there(pictures, monkeypatch, tmp_path):
    """The means of the runs, as the history has them."""
    monkeypatch.setattr(fitting, "GROUP", 2)
    history = fit(pictures).history[0, 0]  # [R, E, 3]
    names = ["lr 0.05, fold 0, run 0 to lr 0.05, fold 0, run 1", "lr 0.05, fold 0, run 2"]
    (start,) = (tmp_path / "live/deep").iterdir()
    assert sorted(path.name for path in start.iterdir()) == names
    for name, runs in zip(names, ([0, 1], [2]), strict=True):
        (file,) = (start / name).iterdir()
        expected = {(of, epoch + 1): history[runs, epoch, n].mean() for n, of, epoch in STEPS}
        assert scalars(file) == pytest.approx(expected)


@pytest.mark.parametrize("value", [None, "", "0"])
def test_nothing_is_written_unless_asked_for(pictures, monkeypatch, tmp_path, value):
    """And the bits are those of a training that is watched."""
    watched = fit(pictures).predictions.test
    (tmp_path / "live").rename(tmp_path / "before")
    monkeypatch.delenv("STAGE_LIVE")
    if value is not None:
        monkeypatch.setenv("STAGE_LIVE", value)
    assert np.array_equal(fit(pictures).predictions.test, watched)
    assert not (tmp_path / "live").exists()


def test_of_several_learning_rates_each_has_its_curve(pictures, tmp_path):
    """In one group too; one at which no run has a finite loss has none."""
    history = fit(pictures, SETTINGS._replace(lr=(0.05, 1e30))).history[0, 0]
    (file,) = (tmp_path / "live").glob("*/*/*/events*")
    every = scalars(file)
    found = {key: value for key, value in every.items() if key[0].endswith("lr_0.05")}
    steps = {(f"{of}/lr_0.05", epoch + 1): history[:, epoch, n].mean() for n, of, epoch in STEPS}
    assert found == pytest.approx(steps)
    assert not [key for key in every if "1e" in key[0] and key[1] == 4]


def test_a_folder_that_cannot_be_written_ends_no_training(pictures, tmp_path, capsys):
    """One line, and the training goes on."""
    (tmp_path / "live").write_text("a file")
    fit(pictures)
    assert "STAGE_LIVE: live/deep/" in capsys.readouterr().err
