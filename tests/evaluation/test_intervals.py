"""Intervals and p-values against R and SciPy, by simulation, and in hard cases."""

import math

import numpy as np
import pytest
from random_predictions import differences
from scipy import stats
from scipy.special import expit, ndtr

from shallowdeep.evaluation import intervals
from shallowdeep.evaluation.intervals import Design, estimate, scored, summarise, variance_parts
from shallowdeep.evaluation.scores import SCORES, RunScores
from shallowdeep.files.errors import InputError

# Made up: 24 pictures, four runs each of two models; probabilities in per mille.
LABELS = np.repeat([0, 1], [14, 10])
TEXT = """
413 813 242 154 438 470 267 731 283 404 874 323 547 413 627 579 413 606 389 705 397 304 733 411
443 500 312 409 371 312 257 829 235 255 765 413 478 308 603 698 707 735 252 632 567 615 634 808
308 577 54 93 373 239 316 890 188 216 745 517 480 458 715 819 341 625 259 338 666 295 776 763
540 413 147 94 252 433 85 752 109 418 584 567 535 250 788 897 502 591 233 352 782 343 627 618
404 368 515 423 483 334 239 440 574 327 567 502 255 198 902 646 323 677 791 409 460 473 121 888
574 334 725 480 709 515 332 842 182 560 601 657 634 500 725 409 483 505 620 435 171 231 302 807
366 364 498 156 547 219 178 723 338 480 350 394 188 160 871 567 404 725 872 139 547 555 263 596
332 483 629 361 525 555 401 283 246 148 99 416 542 267 721 540 537 698 632 293 401 698 348 825
"""
A, B = np.array(TEXT.split(), float).reshape(2, 4, 24) / 1000


def single(labels, trained=0, groups=None):
    """One fold of new pictures, or of the training pictures if `trained` is 0."""
    return Design(labels, np.zeros(len(labels), int), trained, groups)


def scores_of(design, score, *models):
    """Scores of a model, or of the difference between two."""
    return (scored if len(models) == 1 else intervals.paired)(design, SCORES[score], *models)


def parts_of(score, *models):
    """S_p - S_e, S_e, S_b and the standard error."""
    scores = scores_of(single(LABELS), score, *models)
    parts, error = variance_parts(single(LABELS), scores), estimate(single(LABELS), scores).error
    return [parts.pictures - parts.remainder, parts.remainder, parts.runs, error]


def test_variance_components_are_those_of_mrmcaov():
    """R package MRMCaov 0.3.0, mrmc(empirical_auc(truth, rating), ..., method = DeLong).

    Its parts after Obuchowski and Rockette: Var(Error), Cov2, Cov3, MS(R) of one test, MS(T:R).
    Balanced accuracy is half of sensitivity and half of specificity (binary_sens, binary_spec;
    jackknife), whose cases are different ones, so that Cov2 is a quarter of their sum.
    """
    var, cov2, ms_r = 0.0129418498168498, 0.00803978428978429, 0.00722789115646259
    expected = [cov2, (var - cov2) / 4, ms_r / 4, 0.0992308272609875]
    assert parts_of("roc_auc", A) == pytest.approx(expected, rel=1e-12)
    cov2, cov3, ms_tr = 0.00752652770509913, 0.000227956567242282, 0.0301036352040817
    pictures, _, *rest = parts_of("roc_auc", A, B)
    expected = [2 * (cov2 - cov3), 2 * ms_tr / 4, 0.172188733306667]
    assert [pictures, *rest] == pytest.approx(expected, rel=1e-12)

    var = (0.0219444444444445 + 0.0146193092621664) / 4
    cov2 = (0.00944444444444445 + 0.00837257980115124) / 4
    expected = [cov2, (var - cov2) / 4]
    assert parts_of("balanced_accuracy", A)[:2] == pytest.approx(expected, rel=1e-12)
    cov2 = (0.0125925925925926 + 0.00523286237571952) / 4
    cov3 = (9.25925925925913e-05 + 0.00186420722135008) / 4
    pictures = parts_of("balanced_accuracy", A, B)[0]
    assert pictures == pytest.approx(2 * (cov2 - cov3), rel=1e-12)


def test_folds_are_averaged():
    """Of K equal folds the mean is that of one, and each part of its variance a Kth."""
    alone = variance_parts(single(LABELS), scores_of(single(LABELS), "log_loss", A))
    five = Design(np.tile(LABELS, 5), np.repeat(np.arange(5), 24), 0)
    parts = variance_parts(five, scored(five, SCORES["log_loss"], np.tile(A, 5)))
    assert np.array(parts[:3]) * 5 == pytest.approx(np.array(alone[:3]))
    assert parts.freedom == pytest.approx(5 * alone.freedom)
    interval = summarise(five, np.tile(A, 5), alpha=0.05)["log_loss"]
    assert interval[:2] == pytest.approx(summarise(single(LABELS), A, alpha=0.05)["log_loss"][:2])


@pytest.mark.parametrize(("models", "of_runs"), [([A], 3), ([A, B], 1.25)])
def test_new_training_sets_widen_the_interval(models, of_runs):
    """Pictures' part by 1 + tested/trained (Nadeau and Bengio 2003), runs' of a difference less."""
    seen, new = (
        estimate(design, scores_of(design, "roc_auc", *models))
        for design in (single(LABELS), single(LABELS, 12))
    )
    ratios = [wide[0] / narrow[0] for wide, narrow in zip(new.parts, seen.parts, strict=True)]
    assert (new.mean, ratios) == (seen.mean, pytest.approx([3, of_runs]))


def predictions(*, runs=10, pictures=200, seed=0, signal=0.3):
    """Labels and two models' probabilities on the same pictures."""
    rng = np.random.default_rng(seed)
    labels = np.arange(pictures) % 2
    logits = (2 * labels - 1) * signal + rng.standard_normal(pictures)
    noise = rng.standard_normal((2, runs, pictures)) + 0.2 * rng.standard_normal((2, runs, 1))
    return labels, *(1 / (1 + np.exp(-logits - noise)))


def covers(true, found):
    """True if the interval of a score from 0 to 1 holds its true value."""
    low, high = intervals.interval(found, 1, 0.05)[2:]
    return low <= true <= high


@pytest.mark.parametrize(("folds", "runs"), [(1, 2), (1, 3), (1, 10), (10, 2), (10, 10)])
def test_intervals_cover_and_find_no_difference_where_there_is_none(folds, runs):
    """Of 300 made-up data sets of 400 pictures; with real training: benchmarks/coverage.py."""
    rng, score = np.random.default_rng(folds + runs), SCORES["balanced_accuracy"]
    labels = np.arange(400) % 2
    design = Design(labels, np.arange(400) // 2 % folds, 0)
    signal, hard, luck, leaning = 0.4, 0.7, 0.06, 0.3
    true = float(ndtr(signal / math.sqrt(1 + hard**2 + luck**2 + leaning**2)))
    covered = wrong = 0
    for _ in range(300):
        common = hard * rng.standard_normal(400)
        models = []
        for _model in range(2):
            good = signal + luck * rng.standard_normal((runs, folds))[:, design.folds]
            to_one = leaning * rng.standard_normal((runs, folds))[:, design.folds]
            noise = rng.standard_normal((runs, 400))
            models.append(expit((2 * labels - 1) * (good + common) + to_one + noise))
        covered += covers(true, estimate(design, scored(design, score, models[0])))
        wrong += estimate(design, intervals.paired(design, score, *models)).p_value() < 0.05
    assert covered >= 0.93 * 300 and wrong <= 0.08 * 300


@pytest.mark.parametrize("name", ["accuracy", "brier", "log_loss"])
def test_one_run_is_judged_as_by_welch(name):
    """With classes of one size, strata are Welch's two samples."""
    labels, shallow, deep = predictions(runs=1)
    function = SCORES[name].function
    gain = function(labels, deep).parts[0] - function(labels, shallow).parts[0]
    welch = stats.ttest_ind(gain[labels == 1], -gain[labels == 0], equal_var=False)
    expected = welch.confidence_interval(0.9)
    _, _, *found = differences(single(labels), deep, shallow, alpha=0.1)[name]
    assert found == pytest.approx([100 * expected.low, 100 * expected.high, welch.pvalue])


@pytest.mark.parametrize("folds", [1, 3])
def test_runs_that_differ_alike_on_all_pictures_are_judged_by_their_means(folds):
    """Without a pictures' part, Student's quantile has K (R - 1) degrees of freedom."""
    labels = np.arange(60) % 2
    constant = np.linspace(0.35, 0.7, 8) ** np.arange(1, folds + 1)[:, None]
    design = Design(labels, np.arange(60) // 2 % folds, 0)
    deep, shallow = constant[design.folds].T, np.full((8, 60), 0.5)
    apart = -(np.log(constant) + np.log(1 - constant)) / 2 - math.log(2)
    error = math.sqrt(apart.var(1, ddof=1).sum() / 8) / folds
    student = stats.t(folds * 7)
    found = differences(design, deep, shallow, alpha=0.05)["log_loss"]
    assert found.mean == pytest.approx(apart.mean())
    unseen = (1 - 0.25 ** (1 / (8 * folds))) * apart.mean()  # shallow guesses, deep is so far off
    margin = math.hypot(student.ppf(0.975) * error, unseen)
    assert found.low == pytest.approx(apart.mean() - margin)
    known = math.sqrt(apart.mean() ** 2 - unseen**2)
    assert found.p_value == pytest.approx(2 * student.sf(known / error))


def test_one_runs_accuracy_has_wilsons_interval():
    """The classes being equally easy, strata change nothing; all right is not certainty."""
    labels = np.repeat([0, 1], 1000)
    right = np.tile(np.arange(1000) < 970, 2)
    answers = np.where(right, labels, 1 - labels)[None] * 1.0
    interval = summarise(single(labels), answers, alpha=0.05)
    expected = stats.binomtest(1940, 2000).proportion_ci(method="wilson")
    assert interval["accuracy"][2:] == pytest.approx((expected.low, expected.high), abs=1e-4)
    # Wilson's interval for 50 of 50 begins at 92.9 %; with Student's quantile, at 92.5 %.
    labels = np.repeat([0, 1], 50)
    interval = summarise(single(labels), labels[None].astype(float), alpha=0.05)
    assert interval["accuracy"][2:] == pytest.approx((0.925, 1), abs=0.001)


@pytest.mark.parametrize(("name", "guessing"), [("roc_auc", 0.5), ("log_loss", math.log(2))])
def test_runs_that_none_has_shown_widen_the_interval(name, guessing):
    """By the distance from guessing times the share that all runs miss in a quarter of cases."""
    labels, first, second = predictions(runs=4)
    design, score = single(labels), SCORES[name]
    alone = [estimate(design, scored(design, score, one)) for one in (first, second)]
    for of in alone:
        assert of.unseen == pytest.approx((1 - 0.25 ** (1 / 4)) * abs(of.mean - guessing))
        far, near = (
            of.mean - intervals.interval(one, score.bound, 0.05).low
            for one in (of, of._replace(unseen=0.0))
        )
        assert far == pytest.approx(math.hypot(near, of.unseen))
    apart = estimate(design, intervals.paired(design, score, first, second))
    assert apart.unseen == pytest.approx(math.hypot(*(of.unseen for of in alone)))
    known = apart._replace(unseen=0.0)
    assert apart.margin(0.05) == pytest.approx(math.hypot(known.margin(0.05), apart.unseen))
    assert estimate(design, scored(design, score, first[:1])).unseen == 0  # no claim on seeds


@pytest.mark.parametrize("runs", [1, 2, 10])
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.5])
def test_interval_and_p_value_agree(runs, alpha):
    """The interval leaves 0 out exactly where p is below alpha."""
    decided = 0
    for seed in range(40):
        labels, shallow, deep = predictions(runs=runs, pictures=60, seed=seed)
        deep = deep ** (0.5 + seed / 20)
        for difference in differences(single(labels), deep, shallow, alpha=alpha).values():
            significant = difference.p_value < alpha
            assert significant != (difference.low <= 0 <= difference.high)
            decided += significant
    assert decided > 0 or (runs, alpha) == (2, 0.001)


def test_the_order_of_models_pictures_and_pairs_of_runs_does_not_matter():
    """Shallow minus deep is minus deep minus shallow; the rest is rounding."""
    labels, shallow, deep = predictions()
    rng = np.random.default_rng(0)
    order, runs = rng.permutation(200), rng.permutation(10)[:, None]
    there = differences(single(labels), deep, shallow, alpha=0.05)
    back = differences(single(labels[order]), shallow[runs, order], deep[runs, order], alpha=0.05)
    for name, (mean, std, low, high, p_value) in back.items():
        assert there[name] == pytest.approx((-mean, std, -high, -low, p_value), abs=1e-12)


@pytest.mark.parametrize("runs", [1, 2, 10])
@pytest.mark.parametrize("right", [1.0, 0.5, 0.0])
def test_answers_without_any_variation_get_a_finite_interval_in_range(runs, right):
    """All right, all wrong, all the same: that N pictures agree does not make it certain."""
    labels = np.repeat([0, 1], 50)
    answer = np.tile(np.where(labels == 1, right, 1 - right), (runs, 1))
    for name, interval in summarise(single(labels), answer, alpha=0.05).items():
        assert interval.std == pytest.approx(0, abs=1e-12)
        assert 0 <= interval.low <= interval.mean <= interval.high <= SCORES[name].bound < math.inf
        assert interval.high - interval.low > 0.01
    for difference in differences(single(labels), answer, answer, alpha=0.05).values():
        assert difference.low < 0 < difference.high
        assert difference.p_value == 1


def test_extremes_stay_in_range():
    """Student's quantile is 636,619 at a tiny alpha; p is never 0, however clear a difference."""
    labels, shallow, deep = predictions(runs=2)
    for name, interval in summarise(single(labels), shallow, alpha=1e-6).items():
        assert 0 <= interval.low <= interval.high <= SCORES[name].bound
    for name, difference in differences(single(labels), deep, shallow, alpha=1e-6).items():
        assert -SCORES[name].bound <= difference.low <= difference.high <= SCORES[name].bound
    labels, shallow, _ = predictions(pictures=2000)
    deep = np.where(labels == 1, 0.9, 0.1) + np.zeros((10, 1))
    clear = differences(single(labels), deep, shallow, alpha=0.05)["accuracy"]
    assert clear.p_value == intervals.LEAST_P


@pytest.mark.parametrize(
    ("labels", "groups", "value", "message"),
    [
        ([0, 0, 0, 0], None, 0.5, "has 0 of the pictures of class 1; an interval needs 2 or more"),
        ([1, 1, 1, 0], None, 0.5, "has 1 of the pictures of class 0; an interval needs 2 or more"),
        ([0, 0, 1, 1], [0, 0, 1, 2], 0.5, "1 group only; an interval needs 2 or more"),
        *(
            ([0, 0, 1, 1], None, wrong, "1 of 8 are not from 0 to 1")
            for wrong in (np.nan, np.inf, -0.1, 1.1)
        ),
    ],
)
def test_predictions_that_allow_no_interval_are_refused(labels, groups, value, message):
    """Of a class with one picture or one group the spread is unknown; the rest ends as NaN."""
    design = single(np.array(labels), groups=groups and np.array(groups))
    probabilities = np.full((2, 4), 0.5)
    probabilities[1, 3] = value
    with pytest.raises(InputError, match=message):
        summarise(design, probabilities, alpha=0.05)


@pytest.mark.parametrize("folds", [1, 4, 30])
@pytest.mark.parametrize("name", SCORES)
def test_copies_change_no_interval(name, folds):
    """Three copies of each picture say what one says; with few groups a fold strata are classes."""
    labels, *models = predictions(runs=4, pictures=240)
    design, of = Design(labels, np.arange(240) // 2 % folds, 160), np.repeat(np.arange(240), 3)
    many = Design(labels[of], design.folds[of], 3 * 160, of)
    few = 240 // folds // 2 < intervals.FEW
    for own in (models[:1], models):
        alone = estimate(design, scores_of(design, name, *own))
        found = estimate(many, scores_of(many, name, *(one[:, of] for one in own)))
        assert (found.mean, found.unseen) == pytest.approx((alone.mean, alone.unseen))
        assert found.margin(0.05) == pytest.approx(alone.margin(0.05), rel=0.4 if few else 1e-9)


def test_a_group_may_hold_pictures_of_both_classes():
    """Its contributions are summed too: a patient's two pictures that err alike count once."""
    rng = np.random.default_rng(0)
    labels, patients = np.repeat([0, 1], 100), np.tile(np.arange(100), 2)
    right = np.tile(rng.random((4, 100)) < 0.7, 2)
    answers = np.where(right == labels, 0.8, 0.2)
    together, apart = (
        estimate(design, scored(design, SCORES["accuracy"], answers)).parts[0][0]
        for design in (single(labels, groups=patients), single(labels))
    )
    assert together == pytest.approx(2 * apart, rel=0.02)
    # All groups are of the first picture's class here, but for one of the other class alone.
    labels, patients = np.tile([0, 1], 30), np.repeat(np.arange(30), 2)
    answers = rng.random((3, 60))
    for groups in (patients, np.r_[patients[:-1], 99]):
        design = single(labels, groups=groups)
        for interval in summarise(design, answers, alpha=0.05).values():
            assert 0 <= interval.low < interval.mean < interval.high < math.inf


def test_uneven_groups_have_fewer_degrees_of_freedom():
    """One group of fifty pictures and fifty of one are not 51 alike; groups of one size are."""
    group = np.repeat(np.arange(51), np.r_[50, np.ones(50, int)])
    labels = np.repeat([0, 1], 100)
    uneven = single(labels, groups=np.r_[group, group + 51]).strata()
    assert (uneven.freedoms() < 1.1).all()
    even = single(labels, groups=np.arange(200) // 4).strata()
    assert even.freedoms() == pytest.approx([24, 24])
    assert even.corrections() == pytest.approx([25 / 24, 25 / 24])


@pytest.mark.parametrize(("groups", "across", "strata"), [(40, True, 2), (50, False, 10)])
def test_strata_are_classes_across_folds_where_a_fold_has_fewer_than_five_groups(
    groups, across, strata
):
    """Of five folds, with four groups of either class in each, and with five."""
    of = np.arange(groups).repeat(2)
    found = Design(of % 2, of // 2 % 5, 0, of).strata()
    freedoms = found.freedoms()
    assert (found.across, len(freedoms), freedoms.sum()) == (across, strata, groups - strata)


def test_the_variance_of_uneven_groups_is_neither_too_large_nor_too_small():
    """Mean over 2,000 draws of pictures that are alike in each group: that of the means drawn."""
    rng = np.random.default_rng(3)
    sizes = np.array([1, 1, 2, 3, 9])
    groups = np.repeat(np.arange(10), np.tile(sizes, 2))
    labels = np.repeat([0, 1], 16)
    design = single(labels, groups=groups)
    means, found = [], []
    for _ in range(2_000):
        values = rng.standard_normal(10)[groups]
        score = RunScores(np.array([values.mean()]), values[None] / 32)
        scores = intervals.Scored([score], 0.0, is_difference=False)
        means.append(values.mean())
        found.append(variance_parts(design, scores).pictures)
    assert np.mean(found) == pytest.approx(np.var(means), rel=0.1)


@pytest.mark.parametrize("sizes", [[4], [1, 2, 9]])
def test_intervals_of_pictures_in_groups_cover(sizes):
    """300 made-up data sets, pictures of a group alike; counted one by one they cover far less."""
    rng, score = np.random.default_rng(1), SCORES["balanced_accuracy"]
    own = np.resize(np.repeat(sizes, 2), 60)
    groups = np.repeat(np.arange(60), own)
    labels, folds = groups % 2, groups // 2 % 5
    covered = {"groups": 0, "pictures": 0}
    true = float(ndtr(0.4 / math.sqrt(1 + 1.5**2)))
    for _ in range(300):
        easy = 0.4 + 1.5 * rng.standard_normal(60)[groups]
        answers = expit((2 * labels - 1) * easy + rng.standard_normal((5, len(groups))))
        for kind, known in (("groups", groups), ("pictures", None)):
            design = Design(labels, folds, 0, known)
            covered[kind] += covers(true, estimate(design, scored(design, score, answers)))
    assert covered["groups"] >= 0.93 * 300 and covered["pictures"] <= 0.85 * 300
