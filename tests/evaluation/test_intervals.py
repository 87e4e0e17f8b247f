"""Intervals and tests do what they promise: against SciPy, by simulation, and in hard cases."""

import math
import runpy

import numpy as np
import pytest
from checkouts import ROOT
from scipy import stats

from shallowdeep.evaluation.intervals import (
    BOUNDS,
    LEAST_P,
    differences,
    summarise,
)
from shallowdeep.evaluation.scores import SCORES, log_loss, roc_auc
from shallowdeep.evaluation.verdict import verdict
from shallowdeep.files.errors import InputError

COVERAGE = runpy.run_path(str(ROOT / "benchmarks/coverage.py"))
WORLDS = {world.title: world for world in COVERAGE["WORLDS"]}
TEN_RUNS_200_PICTURES = (
    "59 %, as after 100 epochs",
    "69 %",
    "75 %",
    "60 %, runs alike but for noise",
)


def answers(*, runs=10, pictures=200, seed=0, signal=0.3):
    """Labels and two models' probabilities on the same pictures."""
    rng = np.random.default_rng(seed)
    labels = np.arange(pictures) % 2
    logits = (2 * labels - 1) * signal + rng.standard_normal(pictures)
    noise = rng.standard_normal((2, runs, pictures)) + 0.2 * rng.standard_normal((2, runs, 1))
    return labels, *(1 / (1 + np.exp(-logits - noise)))


@pytest.mark.parametrize("title", TEN_RUNS_200_PICTURES)
def test_intervals_cover_and_p_values_are_uniform(title):
    """Of 500 simulated data sets with ten runs and 200 pictures; the benchmark takes 1,000."""
    study = COVERAGE["study"](WORLDS[title], sets=500, seed=1)
    for name in SCORES:
        assert 0.92 <= study.covered[name] <= 0.98, name
        assert 0.92 <= study.difference_covered[name] <= 0.98, name
        assert stats.kstest(study.p_values[name], "uniform").pvalue > 0.005, name


def test_the_simulation_finds_out_a_method_that_ignores_the_seeds():
    """Swapping answers picture by picture rejects far too often where runs differ in luck."""
    world = WORLDS["65 %, 140 and 60 pictures"]
    rng, p_values = np.random.default_rng(1), []
    for _ in range(200):
        labels, (shallow, deep) = COVERAGE["draw"](world, rng)
        p_values.append(COVERAGE["swapping_pictures"](labels, deep, shallow, rng)["accuracy"])
    assert stats.kstest(p_values, "uniform").pvalue < 0.001


def test_simulated_truth_is_what_many_runs_on_many_pictures_score():
    """The integrals belong to the data that are drawn, unbalanced classes included."""
    world = WORLDS["65 %, 140 and 60 pictures"]._replace(pictures=(3500, 1500), runs=200)
    labels, (shallow, _) = COVERAGE["draw"](world, np.random.default_rng(0))
    for name, interval in summarise(labels, shallow, alpha=0.001).items():
        assert interval.low < COVERAGE["truth"](world, 0)[name] < interval.high, name


@pytest.mark.parametrize("name", ["accuracy", "brier", "log_loss"])
def test_one_run_is_judged_as_by_welch(name):
    """With classes of one size, strata are Welch's two samples."""
    labels, shallow, deep = answers(runs=1)
    gain = SCORES[name](labels, deep).parts[0] - SCORES[name](labels, shallow).parts[0]
    welch = stats.ttest_ind(gain[labels == 1], -gain[labels == 0], equal_var=False)
    expected = welch.confidence_interval(0.9)
    difference = differences(labels, deep, shallow, alpha=0.1)[name]
    assert difference.p_value == pytest.approx(welch.pvalue)
    assert difference.low == pytest.approx(100 * expected.low)
    assert difference.high == pytest.approx(100 * expected.high)


def test_runs_that_differ_alike_on_all_pictures_are_judged_by_their_means():
    """Where pictures add nothing, what is left is Student's test over runs."""
    labels, constant = np.arange(40) % 2, np.linspace(0.35, 0.7, 8)
    deep, shallow = np.tile(constant[:, None], 40), np.full((8, 40), 0.5)
    expected = stats.ttest_1samp(log_loss(labels, deep).runs - math.log(2), 0)
    difference = differences(labels, deep, shallow, alpha=0.05)["log_loss"]
    assert difference.p_value == pytest.approx(expected.pvalue)
    assert difference.low == pytest.approx(expected.confidence_interval(0.95).low)


def test_one_run_agrees_with_a_permutation_test_over_pictures():
    """Without seeds to account for, both ask the same."""
    labels, shallow, deep = answers(runs=1, seed=3)
    values = [200 * log_loss(labels, model).parts[0] for model in (deep, shallow)]
    expected = stats.permutation_test(
        values,
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=5000,
        rng=np.random.default_rng(0),
    )
    difference = differences(labels, deep, shallow, alpha=0.05)["log_loss"]
    assert difference.p_value == pytest.approx(expected.pvalue, abs=0.03)


def test_the_error_of_roc_auc_is_the_bootstraps():
    """Of one run, whose pictures are all there is to resample."""
    labels, _, deep = answers(runs=1, pictures=400)
    bootstrap = stats.bootstrap(
        (deep[0, labels == 1], deep[0, labels == 0]),
        lambda a, b, axis: (a[..., :, None] > b[..., None, :]).mean((axis - 1, axis)),
        vectorized=True,
        n_resamples=1000,
        batch=100,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    interval = summarise(labels, deep, alpha=0.3173)["roc_auc"]  # one standard error either way
    assert (interval.high - interval.low) / 2 == pytest.approx(bootstrap.standard_error, rel=0.06)


def test_one_runs_accuracy_has_wilsons_interval():
    """The classes being equally easy, strata change nothing."""
    labels = np.repeat([0, 1], 1000)
    right = np.tile(np.arange(1000) < 970, 2)
    interval = summarise(labels, np.where(right, labels, 1 - labels)[None] * 1.0, alpha=0.05)
    expected = stats.binomtest(1940, 2000).proportion_ci(method="wilson")
    assert interval["accuracy"].low == pytest.approx(expected.low, abs=1e-4)
    assert interval["accuracy"].high == pytest.approx(expected.high, abs=1e-4)


def test_mean_and_std_are_over_runs():
    """With R - 1 in the denominator."""
    labels, shallow, _ = answers()
    runs = roc_auc(labels, shallow).runs
    interval = summarise(labels, shallow, alpha=0.05)["roc_auc"]
    assert interval[:2] == pytest.approx((runs.mean(), runs.std(ddof=1)))


@pytest.mark.parametrize("runs", [1, 2, 10])
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.5])
def test_interval_p_value_and_verdict_agree(runs, alpha):
    """The interval leaves 0 out exactly where p is below alpha; one run decides nothing."""
    decided = 0
    for seed in range(40):
        labels, shallow, deep = answers(runs=runs, pictures=60, seed=seed)
        deep = deep ** (0.5 + seed / 20)
        for difference in differences(labels, deep, shallow, alpha=alpha).values():
            significant = difference.p_value < alpha
            assert significant != (difference.low <= 0 <= difference.high)
            better = "deep" if difference.mean > 0 else "shallow"
            expected = better if significant and runs > 1 else "undecided"
            assert verdict(difference, runs=runs) == expected
            decided += significant
    assert decided > 0 or (runs, alpha) == (2, 0.001)


def test_the_models_change_places():
    """Shallow minus deep is minus deep minus shallow, with the same p."""
    labels, shallow, deep = answers()
    there = differences(labels, deep, shallow, alpha=0.05)
    back = differences(labels, shallow, deep, alpha=0.05)
    for name in SCORES:
        mean, low, high, p_value = back[name]
        assert there[name] == pytest.approx((-mean, -high, -low, p_value))


def test_the_order_of_pictures_and_of_pairs_of_runs_does_not_matter():
    """To rounding."""
    labels, shallow, deep = answers()
    rng = np.random.default_rng(0)
    order, runs = rng.permutation(200), rng.permutation(10)[:, None]
    shuffled = differences(labels[order], deep[runs, order], shallow[runs, order], alpha=0.05)
    for name, difference in differences(labels, deep, shallow, alpha=0.05).items():
        assert shuffled[name] == pytest.approx(difference, abs=1e-12)


def test_more_runs_and_more_pictures_narrow_the_interval():
    """Both sources of chance are in it."""

    def width(runs, pictures):
        interval = summarise(*answers(runs=runs, pictures=pictures)[:2], alpha=0.05)["log_loss"]
        return interval.high - interval.low

    assert width(40, 200) < width(10, 200) < width(3, 200)
    assert width(10, 3200) < width(10, 800) < width(10, 200)


@pytest.mark.parametrize("runs", [1, 2, 10])
@pytest.mark.parametrize("right", [1.0, 0.5, 0.0])
def test_answers_without_any_variation_get_a_finite_interval_in_range(runs, right):
    """All right, all wrong, all the same: that N pictures agree does not make it certain."""
    labels = np.repeat([0, 1], 50)
    answer = np.tile(np.where(labels == 1, right, 1 - right), (runs, 1))
    for name, interval in summarise(labels, answer, alpha=0.05).items():
        assert interval.std == 0
        assert 0 <= interval.low <= interval.mean <= interval.high <= BOUNDS[name] < math.inf
        assert interval.high - interval.low > 0.01
    for difference in differences(labels, answer, answer, alpha=0.05).values():
        assert difference.low < 0 < difference.high
        assert difference.p_value == 1


def test_all_right_on_fifty_pictures_of_each_class_is_not_certainty():
    """Wilson's interval for 50 of 50 begins at 92.9 %; with Student's quantile, at 92.5 %."""
    labels = np.repeat([0, 1], 50)
    interval = summarise(labels, np.tile(labels, (3, 1)).astype(float), alpha=0.05)["accuracy"]
    assert interval.low == pytest.approx(0.925, abs=0.001)
    assert interval.high == pytest.approx(1)


def test_two_runs_at_a_tiny_alpha_stay_in_range():
    """Student's quantile is 636,619 then."""
    labels, shallow, deep = answers(runs=2)
    for name, interval in summarise(labels, shallow, alpha=1e-6).items():
        assert 0 <= interval.low <= interval.high <= BOUNDS[name]
    for name, difference in differences(labels, deep, shallow, alpha=1e-6).items():
        assert -BOUNDS[name] <= difference.low <= difference.high <= BOUNDS[name]


def test_a_p_value_is_never_0():
    """However clear the difference."""
    labels, shallow, _ = answers(pictures=2000)
    deep = np.where(labels == 1, 0.9, 0.1) + np.zeros((10, 1))
    assert differences(labels, deep, shallow, alpha=0.05)["accuracy"].p_value == LEAST_P


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [1, 1, 1, 0]])
def test_a_class_with_fewer_than_two_pictures_is_refused(labels):
    """Neither AUC nor the spread within the class is known then."""
    with pytest.raises(InputError, match=r"has [01] of the pictures of class [01]; .* 2 or more"):
        summarise(np.array(labels), np.full((2, 4), 0.5), alpha=0.05)


def test_probabilities_that_are_no_numbers_are_refused():
    """They would end as NaN, which JSON does not know."""
    labels, shallow, deep = answers(runs=2)
    deep[1, 3] = np.nan
    with pytest.raises(InputError, match="1 of 400 are not finite"):
        differences(labels, deep, shallow, alpha=0.05)
