"""The line that shows how a training is going."""

import io
import sys
import time

import torch

from shallowdeep.training.progress import Progress
from shallowdeep.training.sgd import Epoch

EPOCH = Epoch(torch.tensor([0.5, 0.7]), torch.tensor([0.6, 0.8]), torch.tensor([0.5, 1.0]))


class Terminal(io.StringIO):
    """A terminal of some width."""

    def isatty(self):
        """It is one."""
        return True


def shown(monkeypatch, terminal, *, at_once):
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "120")
    with Progress("train-deep", 100) as progress:
        for _ in range(at_once):
            progress.show(EPOCH)
        for _ in range(2):
            time.sleep(0.15)
            progress.show(EPOCH)
    return terminal.getvalue()


def test_it_shows_epochs_and_means_over_the_runs(monkeypatch):
    """And the time left."""
    line = shown(monkeypatch, Terminal(), at_once=0)
    assert "train-deep:   2%" in line
    assert "2/100" in line
    assert "training loss 0.6000, validation accuracy 0.750" in line


def test_epochs_from_a_checkpoint_do_not_stop_it(monkeypatch):
    """They come all at once; the slow ones after them are shown as they come."""
    assert "52/100" in shown(monkeypatch, Terminal(), at_once=50)


def test_there_is_none_where_there_is_no_terminal(monkeypatch):
    """A log is not filled with it."""
    assert shown(monkeypatch, io.StringIO(), at_once=5) == ""
