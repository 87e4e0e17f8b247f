"""All runs of all folds: the same as each alone, on any number of cores."""

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

SETTINGS = Settings([5, 3], epochs=6, batch_size=16, lr=0.05, keep="last")
SOLVERS = ("primal", "dual")


@pytest.fixture(scope="module")
def ten(tmp_path_factory):
    """Pictures in ten folds, some of which have a picture more than others."""
    return write_prepared(tmp_path_factory.mktemp("ten") / "ten", count=117, seed=0, folds=10)


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """Pictures in a single split."""
    return write_prepared(tmp_path_factory.mktemp("one") / "one", count=100, seed=0)


def fit(pictures, *, runs=3, settings=SETTINGS, **options):
    by_fold = seeds(0, folds=pictures.folds, runs=runs)
    options = {"solver": "dual", "device": CPU} | options
    return Fitting(pictures, settings, by_fold, **options).fit()


def assert_same_bits(one, other):
    assert np.array_equal(one.history, other.history)
    for a, b in zip(one.predictions, other.predictions, strict=True):
        assert np.array_equal(a, b)
    for a, b in zip(one.layers, other.layers, strict=True):
        assert torch.equal(a.weight, b.weight)
        assert torch.equal(a.bias, b.bias)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("keep", ["last", "best"])
def test_any_number_of_cores_gives_the_same_bits(ten, monkeypatch, keep, solver):
    """With more groups than cores and with more cores than groups."""
    monkeypatch.setattr(fitting, "GROUP", 4)
    settings = SETTINGS._replace(keep=keep)
    alone = fit(ten, settings=settings, solver=solver, cores=1)
    for cores in (2, 3, 40):
        assert_same_bits(fit(ten, settings=settings, solver=solver, cores=cores), alone)


def test_the_primal_solver_trains_every_run_by_itself(one):
    """So that there is work for as many cores as there are runs; the bits of run 2 are its own."""
    alike = {"solver": "primal", "device": CPU}
    by_fold = seeds(0, folds=1, runs=4)
    four = Fitting(one, SETTINGS, by_fold, **alike, cores=2)
    assert list(four.mine) == [0, 1, 2, 3]
    fitted = four.fit()
    third = Fitting(one, SETTINGS, [by_fold[0][2:3]], **alike).fit()
    assert np.array_equal(fitted.history[:, :, 2:3], third.history)
    assert np.array_equal(fitted.predictions.test[:, 2:3], third.predictions.test)
    for of_four, alone in zip(fitted.layers, third.layers, strict=True):
        assert torch.equal(of_four.weight[2], alone.weight[0])


def test_which_runs_train_in_step_changes_no_bit(ten, monkeypatch):
    """So that a fold's runs are the same whatever other folds there are."""
    by_fold = seeds(0, folds=10, runs=3)
    groups = Fitting(ten, SETTINGS, by_fold, solver="dual", device=CPU).groups
    assert len(groups) < 10, "folds of one size train in step"
    expected = fit(ten, cores=1)
    for group in (1, 2, 7):
        monkeypatch.setattr(fitting, "GROUP", group)
        assert_same_bits(fit(ten, cores=2), expected)


@pytest.mark.parametrize(
    ("runs", "cores", "groups"), [(10, 2, 1), (25, 2, 1), (30, 2, 2), (60, 2, 4), (60, 16, 4)]
)
def test_a_core_has_a_group_if_that_is_large_enough(one, runs, cores, groups):
    """Small ones wait for each other longer than another core helps."""
    fitting = Fitting(
        one, SETTINGS, seeds(0, folds=1, runs=runs), solver="dual", device=CPU, cores=cores
    )
    assert len(fitting.groups) == len(fitting.mine) == groups


def test_first_layers_that_do_not_fit_into_memory_at_once_give_the_same_bits(ten, monkeypatch):
    """They are drawn a few folds at a time."""
    expected = fit(ten)
    monkeypatch.setattr(fitting, "WEIGHTS", 1)
    assert_same_bits(fit(ten), expected)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_fold_is_that_fold_alone(ten, solver):
    """Fold 7 of ten, trained by itself as a single split would be: to the last bit."""
    by_fold = seeds(0, folds=10, runs=3)
    all_folds = fit(ten, solver=solver)
    parts = ten.parts.copy()
    test, validation = parts == 7, parts == 8
    manifest = ten.manifest.assign(fold=np.select([test, validation], [0, 1], 2))
    alone = type(ten)(**vars(ten) | {"manifest": manifest, "folds": 1})
    fitted = Fitting(alone, SETTINGS, [by_fold[7]], solver=solver, device=CPU).fit()
    assert np.array_equal(fitted.history[0, 0], all_folds.history[0, 7])
    assert np.array_equal(fitted.predictions.test, all_folds.predictions.test[:, :, test])


def test_the_single_split_is_fold_0_of_ten(tmp_path):
    """The same weights, to the last bit: `folds: 10` adds to the article's set-up."""
    tens = write_prepared(tmp_path / "ten", count=120, seed=0, folds=10)
    first = np.where(tens.parts > 1, 2, tens.parts)
    single = type(tens)(**vars(tens) | {"manifest": tens.manifest.assign(fold=first), "folds": 1})
    for a, b in zip(fit(tens).layers, fit(single).layers, strict=True):
        assert torch.equal(a.weight, b.weight)
        assert torch.equal(a.bias, b.bias)


def test_the_solvers_agree(ten):
    """On predictions and history of all folds, to rounding."""
    primal, dual = (fit(ten, solver=solver) for solver in SOLVERS)
    for one, other in zip(primal.predictions, dual.predictions, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
    np.testing.assert_allclose(primal.history[..., :2], dual.history[..., :2], rtol=1e-3)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("keep", ["last", "best"])
def test_the_predictions_are_those_of_the_kept_weights(one, ten, solver, keep):
    """Of fold 0's runs, for all its pictures and in their order; not of another fold's."""
    settings = SETTINGS._replace(keep=keep)
    for pictures in (one, ten):
        fitted = fit(pictures, solver=solver, settings=settings)
        inputs = Normalisation(pictures.mean, pictures.std).apply(
            torch.from_numpy(pictures.pictures)
        )
        expected = logits(fitted.layers, inputs.flatten(1).T).sigmoid().numpy()
        test, train, validation = fitted.predictions
        fold = pictures.fold(0)
        columns = np.searchsorted(pictures.tested(), fold.test)
        np.testing.assert_allclose(test[-1][:, columns], expected[:, fold.test], atol=1e-5)
        np.testing.assert_allclose(train, expected[:, fold.train], atol=1e-5)
        np.testing.assert_allclose(validation, expected[:, fold.validation], atol=1e-5)
        assert np.ptp(expected, axis=1).min() > 1e-2, "all pictures look alike"


@pytest.mark.parametrize("solver", SOLVERS)
def test_earlier_predictions_are_those_of_shorter_trainings(ten, solver):
    """Epoch by epoch, as `asked_after` says, to the last bit."""
    assert asked_after(6) == [1, 2, 3, 4, 5, 6]
    fitted = fit(ten, solver=solver)
    for number in (1, 4):
        shorter = fit(ten, solver=solver, settings=SETTINGS._replace(epochs=number))
        expected = shorter.predictions.test[-1]
        assert np.array_equal(fitted.predictions.test[number - 1], expected)


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1, [1]),
        (10, list(range(1, 11))),
        (100, [1, 2, 3, 5, 6, 9, 12, 16, 22, 29, 40, 54, 74, 100]),
    ],
)
def test_predictions_are_kept_evenly_in_the_logarithm(epochs, expected):
    """At most 16 times, the last epoch among them; all where they are no more."""
    assert set(expected) >= {1, epochs}
    assert asked_after(epochs) == sorted(set(asked_after(epochs)))
    assert len(asked_after(epochs)) <= fitting.ASKED
    assert asked_after(epochs) == expected


def test_seeds_are_shared_by_no_runs():
    """Of no folds, runs and first seeds; another first seed is a replication."""
    every = [
        seed
        for first in (0, 1, 2**31)
        for of_fold in seeds(first, folds=10, runs=50)
        for seed in of_fold
    ]
    assert len(set(every)) == len(every) == 1_500
    assert max(every) < 2**63
    assert seeds(0, folds=1, runs=2)[0] == seeds(0, folds=10, runs=50)[0][:2]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("cores", [1, 2])
def test_a_loss_that_is_not_finite_names_fold_and_run(ten, solver, cores):
    """Whichever group of runs finds it first."""
    settings = SETTINGS._replace(lr=1e30)
    with pytest.raises(
        InputError, match=r"fold \d, run \d, epoch \d+: the loss is not finite at lr 1e\+30"
    ):
        fit(ten, solver=solver, settings=settings, cores=cores)


def test_ranks_share_the_groups(one):
    """Each group is one rank's. More ranks than groups are refused, before anything is sent."""
    by_fold, alike = seeds(0, folds=1, runs=4), {"solver": "primal", "device": CPU}
    shares = [
        Fitting(one, SETTINGS, by_fold, **alike, ranks=Ranks(rank, 3)).mine for rank in range(3)
    ]
    assert sorted(number for share in shares for number in share) == [0, 1, 2, 3]
    with pytest.raises(InputError, match=r"^5 ranks for 4 groups of runs: .*; take at most 4$"):
        Fitting(one, SETTINGS, by_fold, **alike, ranks=Ranks(0, 5))
    with pytest.raises(InputError, match=r"^2 ranks for 1 group of runs: .*; take at most 1$"):
        Fitting(one, SETTINGS, by_fold[:1], solver="dual", device=CPU, ranks=Ranks(0, 2))
