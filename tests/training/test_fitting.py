"""All runs of all folds: the same as each alone, on any number of cores."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from noise import CPU, logits, write_prepared

from shallowdeep.files.errors import InputError
from shallowdeep.prepared.normalisation import Normalisation
from shallowdeep.training import fitting
from shallowdeep.training.fitting import Fitting, asked_after, seeds
from shallowdeep.training.ranks import Ranks
from shallowdeep.training.sgd import Settings

SETTINGS = Settings([5, 3], epochs=4, batch_size=16, lr=0.05, keep="last")
SOLVERS = ("primal", "dual")


@pytest.fixture(scope="module")
def ten(tmp_path_factory):
    """Pictures in ten folds, some of which have a picture more than others."""
    return write_prepared(tmp_path_factory.mktemp("ten") / "ten", count=117, seed=0, folds=10)


def fit(pictures, *, settings=SETTINGS, **options):
    by_fold = seeds(0, folds=pictures.folds, runs=2)
    options = {"solver": "dual", "device": CPU} | options
    return Fitting(pictures, settings, by_fold, **options).fit()


def assert_same_bits(one, other):
    arrays = ([of.history, *of.predictions, *itertools.chain(*of.layers)] for of in (one, other))
    assert all(np.array_equal(a, b) for a, b in zip(*arrays, strict=True))


@pytest.mark.parametrize(
    ("solver", "ways"),
    [("primal", [(25, 2), (25, 40)]), ("dual", [(4, 2), (4, 40), (1, 2), (7, 2)])],
    ids=SOLVERS,
)
@pytest.mark.parametrize("keep", ["last", "best"])
def test_neither_cores_nor_groups_change_a_bit(ten, monkeypatch, keep, solver, ways):
    """With more groups than cores or fewer; a run is the same whatever trains in step with it.

    First layers that do not fit into memory at once are drawn a few folds at a time.
    """
    settings = SETTINGS._replace(keep=keep)
    alone = fit(ten, settings=settings, solver=solver, cores=1)
    for group, cores in ways:
        monkeypatch.setattr(fitting, "GROUP", group)
        assert_same_bits(fit(ten, settings=settings, solver=solver, cores=cores), alone)
        monkeypatch.setattr(fitting, "WEIGHTS", 1)
    of_ten = Fitting(ten, settings, seeds(0, folds=10, runs=2), solver="dual", device=CPU)
    assert len(of_ten.groups) < 10, "folds of one size train in step"


def test_the_primal_solver_trains_every_run_by_itself(pictures):
    """So that there is work for as many cores as there are runs; the bits of run 2 are its own."""
    alike = {"solver": "primal", "device": CPU}
    by_fold = seeds(0, folds=1, runs=4)
    four = Fitting(pictures, SETTINGS, by_fold, **alike, cores=2)
    assert list(four.mine) == [0, 1, 2, 3]
    fitted = four.fit()
    third = Fitting(pictures, SETTINGS, [by_fold[0][2:3]], **alike).fit()
    assert np.array_equal(fitted.history[:, :, 2:3], third.history)
    assert np.array_equal(fitted.predictions.test[:, 2:3], third.predictions.test)
    of_four, alone = (itertools.chain(*each.layers) for each in (fitted, third))
    assert all(torch.equal(a[2], b[0]) for a, b in zip(of_four, alone, strict=True))


@pytest.mark.parametrize(
    ("runs", "cores", "groups"), [(10, 2, 1), (25, 2, 1), (30, 2, 2), (60, 2, 4), (60, 16, 4)]
)
def test_a_core_has_a_group_if_that_is_large_enough(pictures, runs, cores, groups):
    """Small ones wait for each other longer than another core helps."""
    alike = {"solver": "dual", "device": CPU}
    fitting = Fitting(pictures, SETTINGS, seeds(0, folds=1, runs=runs), cores=cores, **alike)
    assert len(fitting.groups) == len(fitting.mine) == groups


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_fold_is_that_fold_alone(ten, solver):
    """As a single split, to the last bit: `folds: 10` adds to the article's set-up, fold 0."""
    by_fold = seeds(0, folds=10, runs=2)
    whole = fit(ten, solver=solver)
    for number in (0, 7):
        test, validation = ten.parts == number, ten.parts == number + 1
        manifest = ten.manifest.assign(fold=np.select([test, validation], [0, 1], 2))
        alone = replace(ten, manifest=manifest, folds=1)
        fitted = Fitting(alone, SETTINGS, [by_fold[number]], solver=solver, device=CPU).fit()
        assert np.array_equal(fitted.history[0, 0], whole.history[0, number])
        assert np.array_equal(fitted.predictions.test, whole.predictions.test[:, :, test])
        if number == 0:
            layers = (itertools.chain(*each.layers) for each in (fitted, whole))
            assert all(torch.equal(a, b) for a, b in zip(*layers, strict=True))


def test_the_solvers_agree(ten):
    """On predictions and history of all folds, to rounding."""
    primal, dual = (fit(ten, solver=solver) for solver in SOLVERS)
    for one, other in zip(primal.predictions, dual.predictions, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
    np.testing.assert_allclose(primal.history[..., :2], dual.history[..., :2], rtol=1e-3)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("keep", ["last", "best"])
def test_the_predictions_are_those_of_the_kept_weights(pictures, ten, solver, keep):
    """Of fold 0's runs, for all its pictures and in their order; not of another fold's."""
    for of in (pictures, ten):
        fitted = fit(of, solver=solver, settings=SETTINGS._replace(keep=keep))
        inputs = Normalisation(of.mean, of.std).apply(torch.from_numpy(of.pictures))
        expected = logits(fitted.layers, inputs.flatten(1).T).sigmoid().numpy()
        test, train, validation = fitted.predictions
        fold = of.fold(0)
        of_test = test[-1][:, np.searchsorted(of.tested(), fold.test)]
        found = np.concatenate([of_test, train, validation], axis=1)
        rows = np.concatenate([fold.test, fold.train, fold.validation])
        np.testing.assert_allclose(found, expected[:, rows], atol=1e-5)
        assert np.ptp(expected, axis=1).min() > 1e-2, "all pictures look alike"


@pytest.mark.parametrize("solver", SOLVERS)
def test_earlier_predictions_are_those_of_shorter_trainings(ten, solver):
    """Epoch by epoch, as `asked_after` says, to the last bit."""
    assert asked_after(4) == [1, 2, 3, 4]
    fitted = fit(ten, solver=solver)
    for number in (1, 3):
        shorter = fit(ten, solver=solver, settings=SETTINGS._replace(epochs=number))
        expected = shorter.predictions.test[-1]
        assert np.array_equal(fitted.predictions.test[number - 1], expected)


def test_predictions_are_kept_evenly_in_the_logarithm():
    """At most 16 times, the last epoch among them; all where they are no more."""
    assert asked_after(1) == [1]
    assert asked_after(10) == list(range(1, 11))
    assert asked_after(100) == [1, 2, 3, 5, 6, 9, 12, 16, 22, 29, 40, 54, 74, 100]


def test_seeds_are_shared_by_no_runs():
    """Of no folds, runs and first seeds; another first seed is a replication."""
    by_fold = [of for first in (0, 1, 2**31) for of in seeds(first, folds=10, runs=50)]
    every = list(itertools.chain(*by_fold))
    assert len(set(every)) == len(every) == 1_500
    assert max(every) < 2**63
    assert seeds(0, folds=1, runs=2)[0] == seeds(0, folds=10, runs=50)[0][:2]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cores", [1, 2])
def test_a_loss_that_is_not_finite_names_fold_and_run(ten, pictures, solver, cores):
    """Whichever group of runs finds it first; the fold where there are several."""
    settings = SETTINGS._replace(lr=1e30)
    message = r"run \d, epoch \d+: the loss is not finite at lr 1e\+30"
    for of, start in ((ten, r"^fold \d, "), (pictures, "^")):
        with pytest.raises(InputError, match=start + message):
            fit(of, solver=solver, settings=settings, cores=cores)


def test_ranks_share_the_groups(pictures):
    """Each group is one rank's. More ranks than groups are refused, before anything is sent."""

    def of_rank(rank, count, solver="primal"):
        by_fold, ranks = seeds(0, folds=1, runs=4), Ranks(rank, count)
        return Fitting(pictures, SETTINGS, by_fold, solver=solver, device=CPU, ranks=ranks)

    assert sorted(n for rank in range(3) for n in of_rank(rank, 3).mine) == [0, 1, 2, 3]
    with pytest.raises(InputError, match=r"^5 ranks for 4 groups of runs: .*; take at most 4$"):
        of_rank(0, 5)
    with pytest.raises(InputError, match=r"^2 ranks for 1 group of runs: .*; take at most 1$"):
        of_rank(0, 2, "dual")
