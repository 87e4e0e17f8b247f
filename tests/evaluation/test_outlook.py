"""The expected half width is that of data with more runs and more pictures."""

import numpy as np
import pytest
from scipy.special import stdtrit

from shallowdeep.evaluation.intervals import Design, Scored, estimate
from shallowdeep.evaluation.outlook import outlook
from shallowdeep.evaluation.scores import RunScores


def drawn(rng, *, runs, pictures, folds=2, of_picture=1.0, of_run=0.1, rest=1.0):
    """A difference whose variance has known parts: of pictures, runs, and what is left."""
    labels, fold = np.arange(pictures) % 2, np.arange(pictures) // 2 % folds
    design = Design(labels, fold, pictures)
    scores = []
    for own in design.by_fold():
        n = len(own)
        values = of_picture * rng.normal(size=(1, n)) + rest * rng.normal(size=(runs, n))
        values += of_run * rng.normal(size=(runs, 1))
        scores.append(RunScores(values.mean(1), values / n))
    return design, Scored(scores, 0.2, is_difference=True)


def test_the_expected_width_is_that_of_data_which_is_so_large():
    """Mean over draws, within 5 %: now, with 2 and 10 times the runs, with as many pictures."""
    rng = np.random.default_rng(0)
    small = [outlook(*drawn(rng, runs=5, pictures=400), alpha=0.05) for _ in range(60)]
    ways = [(5, 400), (10, 400), (50, 400), (5, 800), (5, 4_000)]
    assert [one[:2] for one in small[0]] == ways
    for place, (runs, pictures) in enumerate(ways):
        rng = np.random.default_rng(2)
        large = [drawn(rng, runs=runs, pictures=pictures) for _ in range(60)]
        expected = np.mean([found[place].margin for found in small])
        margin = np.mean([estimate(*one).margin(0.05) for one in large])
        assert expected == pytest.approx(margin, rel=0.05)


def test_what_it_is_now_is_the_interval():
    """The first row has the margin of the verdict; two constant networks have no row."""
    design, scores = drawn(np.random.default_rng(1), runs=5, pictures=200)
    now = outlook(design, scores, alpha=0.1)[0]
    assert now.margin == pytest.approx(estimate(design, scores).margin(0.1))
    alike = [one._replace(runs=one.runs * 0, parts=one.parts * 0) for one in scores.folds]
    assert outlook(design, scores._replace(folds=alike), alpha=0.05) == []


def test_more_runs_bring_degrees_of_freedom():
    """Where runs alone differ, from 2 (3 - 1) to 2 (30 - 1) with ten times the runs."""
    rng = np.random.default_rng(2)
    design, scores = drawn(rng, runs=3, pictures=400, of_picture=0, of_run=1, rest=0)
    expected = outlook(design, scores._replace(distance=0.0), alpha=0.05)
    margins = {one[:2]: one.margin for one in expected}
    quantiles = stdtrit([4, 58], 0.975)
    shrinks = quantiles[1] / quantiles[0] / 10**0.5
    assert margins[30, 400] / margins[3, 400] == pytest.approx(shrinks)
