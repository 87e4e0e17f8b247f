"""Of a list of learning rates each fold takes one, by validation: what separate trainings say."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from noise import CPU, write_prepared

from shallowdeep.files.errors import InputError
from shallowdeep.trained.tuned import Tuned
from shallowdeep.training import fitting
from shallowdeep.training.fitting import Fitting, seeds
from shallowdeep.training.sgd import Settings
from shallowdeep.training.tuning import remarks, taken

RATES = (0.05, 0.2, 0.8)
PLAIN = Settings([5, 3], epochs=4, batch_size=16, lr=RATES, keep="last", init="he")
MOVING = {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    """Pictures in five folds, some of which have a picture more than others."""
    folder = tmp_path_factory.mktemp("five") / "five"
    return write_prepared(folder, count=97, seed=0, brighter=4, folds=5)


def fit(pictures, settings, *, solver, cores=1):
    by_fold = seeds(0, folds=pictures.folds, runs=2)
    return Fitting(pictures, settings, by_fold, solver=solver, device=CPU, cores=cores).fit()


def assert_taken(found, alone, pictures, keep):
    """The choice, history, predictions and weights are those of separate trainings, to the bit."""
    for fold, number in enumerate(found.taken):
        losses = [one.history[0, fold, :, :, 1].astype(float) for one in alone]
        of_kept = [loss[:, -1] if keep == "last" else loss.min(1) for loss in losses]
        assert number == int(np.argmin([loss.mean() for loss in of_kept]))
        columns = np.searchsorted(pictures.tested(), pictures.fold(fold).test)
        one, other = (each.predictions.test[..., columns] for each in (found, alone[number]))
        assert np.array_equal(one, other)
    for number, one in enumerate(alone):
        assert np.array_equal(found.history[number], one.history[0])
    first = alone[found.taken[0]]
    for one, other in zip(found.predictions[1:], first.predictions[1:], strict=True):
        assert np.array_equal(one, other)
    tensors = ([*itertools.chain(*each.layers)] for each in (found, first))
    assert all(torch.equal(one, other) for one, other in zip(*tensors, strict=True))


@pytest.mark.parametrize("options", [{}, {"keep": "best"}, {**MOVING, "keep": "best"}], ids=str)
@pytest.mark.parametrize(
    ("solver", "ways"),
    [("primal", [(25, 1), (25, 2)]), ("dual", [(25, 1), (7, 2), (1, 2)])],
    ids=["primal", "dual"],
)
def test_each_fold_takes_what_separate_trainings_say(five, monkeypatch, solver, ways, options):
    """With learning rates side by side in a group or apart, on any number of cores."""
    settings = PLAIN._replace(**options)
    alone = [fit(five, settings._replace(lr=lr), solver=solver) for lr in RATES]
    for group, cores in ways:
        monkeypatch.setattr(fitting, "GROUP", group)
        found = fit(five, settings, solver=solver, cores=cores)
        assert_taken(found, alone, five, settings.keep)
    assert len(set(found.taken)) > 1, "the test wants folds that differ"


@pytest.mark.parametrize("solver", ["primal", "dual"])
def test_a_learning_rate_that_diverges_is_not_taken(five, solver):
    """Runs beside it keep their bits; where all diverge there is one line."""
    settings = PLAIN._replace(lr=(0.02, 1e30), keep="best")
    alone = [fit(five, settings._replace(lr=0.02), solver=solver)]
    found = fit(five, settings, solver=solver)
    assert found.taken == [0] * 5
    assert_taken(found._replace(history=found.history[:1]), alone, five, "best")
    message = r"^fold 0, run \d, epoch \d: the loss is not finite at lr 1e\+29, the smallest; a"
    with pytest.raises(InputError, match=message):
        fit(five, settings._replace(lr=(1e29, 1e30)), solver=solver)


def test_the_tested_pictures_decide_nothing(five):
    """With other labels on fold 0's, it takes the same learning rate, by the same losses."""
    single = replace(five, folds=1, manifest=five.manifest.assign(fold=five.parts.clip(0, 2)))
    manifest = single.manifest.copy()
    manifest.loc[manifest["fold"] == 0, "label"] ^= 1
    one, other = (
        fit(of, PLAIN, solver="dual") for of in (single, replace(single, manifest=manifest))
    )
    assert one.taken == other.taken and np.array_equal(one.history, other.history)


def measured(losses):
    """History [L, 1, R, E, 3] with these validation losses [L, R, E]."""
    loss = np.array(losses, float)[:, None, ..., None]
    return np.concatenate([np.zeros_like(loss), loss, np.zeros_like(loss)], -1)


@pytest.mark.parametrize(
    ("keep", "losses", "number"),
    [
        ("last", [[[0.5, 0.7]], [[0.9, 0.6]]], 1),
        ("best", [[[0.5, 0.7]], [[0.9, 0.6]]], 0),
        ("last", [[[0.6], [0.4]], [[0.4], [0.6]]], 0),  # of equal means the smaller lr
        ("best", [[[0.1, np.nan]], [[0.9, 0.9]]], 1),
        ("last", [[[0.1], [np.inf]], [[0.9], [0.9]]], 1),
    ],
)
def test_the_lowest_mean_validation_loss_of_the_kept_epoch_decides(keep, losses, number):
    """Not finite in any epoch of any run: out of the race."""
    assert taken(measured(losses), (0.1, 0.2), keep).tolist() == [number]


@pytest.mark.parametrize(
    ("lrs", "found", "lines"),
    [
        ([0.1, 0.2, 0.3], [0.2, 0.2, 0.3], ["lr: of 3 folds 0.2 in 2, 0.3 in 1"]),
        ([0.2, 0.3], [0.2], ["lr: of 1 fold 0.2 in 1", "lr: 0.2 is the first of the list; a sm"]),
        ([0.1, 0.3], [0.3, 0.3, 0.1], ["lr: of 3", "lr: 0.3 is the last of the list; a larger"]),
        ([0.1, 0.3], [0.1, 0.3], ["lr: of 2 folds 0.1 in 1, 0.3 in 1"]),
        ([0.1], [0.1], ["lr: of 1 fold 0.1 in 1"]),
    ],
)
def test_remarks_say_how_often_each_was_taken(lrs, found, lines):
    """They warn where most folds took an end of the list, and name what diverged."""
    history = np.zeros((len(lrs), len(found), 1, 1, 3))
    said = remarks(Tuned(lrs, found), history)
    assert all(one.startswith(line) for one, line in zip(said, lines, strict=True))
    history[0, 0] = np.nan
    lost = f"lr: {lrs[0]:g} is not taken in 1 of {len(found)}: a loss is not finite"
    assert remarks(Tuned(lrs, found), history)[len(lines) :] == [lost]
