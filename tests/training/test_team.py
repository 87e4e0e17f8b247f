"""Several ranks train one network, each on a band of every picture: what one does, to rounding."""

import multiprocessing
from contextlib import nullcontext
from datetime import timedelta

import numpy as np
import pytest
import torch
import torch.distributed as dist
from noise import CPU, write_prepared
from played_device import CUDA, played_device
from torch.utils._python_dispatch import _disable_current_modes

from shallowdeep.files import memory
from shallowdeep.files.checkout import CHECKPOINTS
from shallowdeep.files.errors import InputError
from shallowdeep.training import checkpoint, sgd
from shallowdeep.training.checkpoint import Checkpoints
from shallowdeep.training.fitting import Fitted, Fitting, Settings, seeds
from shallowdeep.training.network import Layer
from shallowdeep.training.ranks import Ranks, Team

SETTINGS = Settings([5, 3], epochs=6, batch_size=16, lr=0.05, keep="last")


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Pictures of 12 rows in a single split."""
    return write_prepared(tmp_path_factory.mktemp("one") / "one", count=100, seed=0)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """In a folder of its own, and with a checkpoint whenever one is asked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "EVERY", 0)
    monkeypatch.setattr(checkpoint, "TOGETHER", 1)


class StoppedError(Exception):
    """The training is interrupted."""


def fit(
    pictures, ranks=None, *, runs=1, settings=SETTINGS, stop_after=None, place=False, device=CPU
):
    """Train; every rank stops after so many epochs of its group."""
    by_fold = seeds(0, folds=pictures.folds, runs=runs)
    alike = {"solver": "primal", "device": device} | ({"ranks": ranks} if ranks else {})
    fitting = Fitting(pictures, settings, by_fold, **alike)
    reported = []

    def report(epoch):
        reported.append(epoch)
        if len(reported) == stop_after:
            raise StoppedError

    return fitting.fit(report, Checkpoints("train-x", {"a": "1"}) if place else None)


def on_ranks(count, folder, pictures, *, steps=None, **options):
    """What rank 0 of so many processes comes to, in so many steps; None where they are stopped."""
    here = folder / f"{count}-{len(list(folder.iterdir()))}"
    here.mkdir()

    def rank(number):
        torch.set_num_threads(1)
        store = dist.FileStore(str(here / "meeting"), count)
        alike = {"store": store, "rank": number, "world_size": count}
        dist.init_process_group("gloo", timeout=timedelta(seconds=60), **alike)
        step, done = sgd.Runs._step, []
        sgd.Runs._step = lambda *rest: done.append(None) or step(*rest)
        on_cuda = options.get("device") == CUDA
        try:
            with played_device() if on_cuda else nullcontext():
                fitted = fit(pictures, Ranks(number, count, number, count), **options)
        except StoppedError:
            dist.barrier()
            return
        assert steps in (None, len(done))
        layers = [
            tuple(getattr(tensor, "held", tensor) for tensor in layer) for layer in fitted.layers
        ]
        torch.save((layers, fitted.history, fitted.answers), here / "fitted")

    fork = multiprocessing.get_context("fork")  # they need not import torch again
    processes = [fork.Process(target=rank, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=30)
    statuses = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
    assert statuses == [0] * count
    if not (here / "fitted").exists():
        return None
    layers, history, answers = torch.load(here / "fitted", weights_only=False)
    return Fitted([Layer(*layer) for layer in layers], history, answers)


def off_the_device(name):
    """One of torch's ways to send something, as it is: what is sent lies in main memory."""
    function = getattr(dist, name)

    def as_it_is(*arguments, **named):
        with _disable_current_modes():
            return function(*arguments, **named)

    return as_it_is


def assert_same_bits(one, other):
    assert np.array_equal(one.history, other.history)
    assert np.array_equal(one.answers, other.answers)
    for layer, expected in zip(one.layers, other.layers, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(layer, expected, strict=True))


def assert_close(one, other):
    np.testing.assert_allclose(one.history, other.history, rtol=1e-4)
    np.testing.assert_allclose(one.answers, other.answers, atol=1e-5)
    for layer, expected in zip(one.layers, other.layers, strict=True):
        for a, b in zip(layer, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("ranks", "runs", "keep", "fits"),
    [(2, 1, "last", 1.0), (5, 1, "best", 0.0), (4, 2, "last", 1.0)],
)
def test_it_is_what_one_process_trains(one, tmp_path, monkeypatch, ranks, runs, keep, fits):
    """Weights, history and answers, also with bands of two and three rows and with two teams."""
    monkeypatch.setattr(memory, "FITS", fits)
    settings = SETTINGS._replace(keep=keep)
    expected = fit(one, runs=runs, settings=settings)
    fitted = on_ranks(ranks, tmp_path, one, runs=runs, settings=settings)
    assert_close(fitted, expected)
    again = on_ranks(ranks, tmp_path, one, runs=runs, settings=settings)
    assert_same_bits(again, fitted)


def test_a_device_gives_what_the_cpu_gives(one, tmp_path, monkeypatch):
    """Three runs in step on a device that the CPU plays, which mixes with nothing."""
    for name in ("send", "recv", "gather_object", "barrier", "new_group"):
        monkeypatch.setattr(dist, name, off_the_device(name))
    fitted = on_ranks(2, tmp_path, one, runs=3, device=CUDA)
    assert_close(fitted, fit(one, runs=3))


def test_folds_are_spread_before_pictures_are(tmp_path):
    """Three folds on three ranks: to the last bit, since each is one rank's."""
    three = write_prepared(tmp_path / "three", count=90, seed=0, folds=3)
    (tmp_path / "ranks").mkdir()
    assert_same_bits(on_ranks(3, tmp_path / "ranks", three), fit(three))
    assert_close(on_ranks(6, tmp_path / "ranks", three), fit(three))


@pytest.mark.parametrize("lost", [None, "one", "older"])
def test_a_team_goes_on_where_it_was_interrupted(one, tmp_path, lost):
    """To the bits of one that was not; from the start where a member cannot go on with the rest."""
    (tmp_path / "ranks").mkdir()
    expected = on_ranks(2, tmp_path / "ranks", one, steps=36)
    for stop_after in (2, 4):
        assert on_ranks(2, tmp_path / "ranks", one, stop_after=stop_after, place=True) is None
        states = sorted((tmp_path / CHECKPOINTS).glob("*.pt"))
        assert [path.suffixes[-2] for path in states] == [".0of2", ".1of2"]
        if stop_after == 2:
            older = states[1].read_bytes()
    if lost == "one":
        states[0].unlink()
    elif lost == "older":
        states[1].write_bytes(older)
    inputs = Checkpoints("train-x", {"a": "1"})
    assert [inputs.exist(Team(size=size)) for size in (1, 2, 3)] == [False, True, False]
    steps = 36 if lost else 36 - 4 * 6 + 1  # the last one was saved before it was done
    again = on_ranks(2, tmp_path / "ranks", one, place=True, steps=steps)
    assert_same_bits(again, expected)


def test_ranks_that_cannot_be_shared_out_are_told_what_can(one):
    """Before anything is sent."""
    two = seeds(0, folds=1, runs=2)
    for count in (3, 26):
        message = f"{count} ranks for 2 groups of runs: .*; take at most 2, or a multiple of that"
        with pytest.raises(InputError, match=f"{message} up to 24$"):
            Fitting(one, SETTINGS, two, solver="primal", device=CPU, ranks=Ranks(0, count))
    with pytest.raises(InputError, match=r"2 ranks for 1 group of runs: .*; take at most 1$"):
        Fitting(one, SETTINGS, two, solver="dual", device=CPU, ranks=Ranks(0, 2))
