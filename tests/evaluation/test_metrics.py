"""metrics.json and scores.csv hold scikit-learn's scores."""

import json

import numpy as np
import pytest
from noise import write_prepared
from random_predictions import SHARES, differences, findings, networks
from sklearn.metrics import log_loss

from shallowdeep.evaluation.intervals import summarise
from shallowdeep.evaluation.metrics import as_json
from shallowdeep.evaluation.score_table import score_rows, score_table
from shallowdeep.evaluation.split_predictions import by_split
from shallowdeep.evaluation.verdict import QUESTION, Pair, verdict

WITH_WIDE = SHARES | {"wide": 0.65}


def test_scores_are_means_over_runs_and_folds(pictures):
    """scikit-learn's, run by run, each fold's on its own pictures; then mean and deviation."""
    test = by_split(networks(pictures), pictures)["validation"]
    labels = test.design.labels
    fold = np.zeros(len(labels), int)
    for label in (0, 1):
        fold[np.flatnonzero(labels == label)[2:]] = 1
    test = test._replace(design=test.design._replace(folds=fold))
    found = score_table({"test": test}, alpha=0.05)
    each = [fold == 0, fold == 1]
    runs = test.probabilities["deep"]
    losses = np.array([[log_loss(labels[own], run[own]) for run in runs] for own in each])
    interval = found.models["deep"]["test"]["log_loss"]
    std = losses.var(1, ddof=1).mean() ** 0.5
    assert (interval.mean, interval.std) == pytest.approx((losses.mean(), std), abs=1e-6)


@pytest.mark.parametrize("better", ["deep", "shallow", ""])
def test_the_difference_decides_the_verdict(tmp_path, better):
    """Deep minus shallow; a clear difference gives a verdict, none gives none."""
    ten = write_prepared(tmp_path / "ten", count=100, seed=0, folds=10)
    found = findings(ten, dict.fromkeys(SHARES, 0.1) | ({better: 0.9} if better else {}))
    assert verdict(found.question) == (better or "undecided")
    means = [found.scores.models[name]["test"]["accuracy"].mean for name in QUESTION]
    difference = found.scores.question["accuracy"]
    assert difference.mean == pytest.approx(means[0] - means[1], abs=2e-6)
    assert difference.low <= difference.mean <= difference.high
    assert (difference.p_value < 0.05) == bool(better)


def test_every_pair_has_an_interval_and_all_hold_at_once(pictures):
    """Wider than alone, not wider than Bonferroni's; the question has its own too."""
    predictions = networks(pictures, WITH_WIDE)
    splits = by_split(predictions | {"copy": predictions["shallow"]}, pictures)
    found = score_table(splits, alpha=0.05)
    assert list(found.pairs)[:3] == [QUESTION, Pair("wide", "shallow"), Pair("copy", "shallow")]
    assert len(found.pairs) == 6
    test = splits["test"]
    both = [test.probabilities[name] for name in QUESTION]
    alone = differences(test.design, *both, alpha=0.05)["log_loss"]
    most = differences(test.design, *both, alpha=0.05 / 6)["log_loss"]
    among = found.pairs[QUESTION]["test"]["log_loss"]
    assert found.question["log_loss"] == pytest.approx(alone, abs=1e-6)
    assert alone.high < among.high <= most.high + 1e-6
    assert 1.1 * alone.p_value < among.p_value <= 6 * alone.p_value + 1e-6
    same = found.pairs[Pair("copy", "shallow")]["test"]["log_loss"]
    assert (same.mean, same.p_value) == (0, 1)


def test_one_table_holds_all_scores(pictures):
    """Of models and pairs, on every split; p of pairs alone.

    The question is judged by itself, by a narrower interval than among all pairs.
    """
    judged = findings(pictures, WITH_WIDE)
    found, apart = judged.scores, judged.question.difference
    assert apart == found.question["balanced_accuracy"]
    among = [of_split["test"]["balanced_accuracy"] for of_split in found.pairs.values()]
    assert [one.difference for one in judged.pairs] == among
    assert among[0].high - among[0].low > apart.high - apart.low
    table = score_rows(found)
    assert list(table) == ["model", "split", "score", "mean", "std", "low", "high", "p"]
    assert len(table) == ((3 + 3) * 3 + 3) * 6  # three networks, pairs, splits; three ensembles
    pairs = table["model"].str.contains(" minus ")
    assert table["p"].notna().equals(pairs)
    row = table.set_index(["model", "split", "score"]).loc["wide", "validation", "f1"]
    assert row["mean"] == found.models["wide"]["validation"]["f1"].mean


def test_an_ensemble_is_the_mean_prediction_of_a_folds_runs(pictures):
    """Scored as one run; with one run there is none."""
    predictions = networks(pictures)
    test = by_split(predictions, pictures)["test"]
    mean = test.probabilities["deep"].mean(0, keepdims=True)
    expected = summarise(test.design, mean, alpha=0.05)["brier"]
    assert findings(pictures).scores.ensembles["deep"]["brier"] == pytest.approx(expected, abs=1e-6)
    assert not findings(pictures, runs=1).scores.ensembles


def test_metrics_are_a_few_numbers(pictures):
    """Sixteen with two models; keys sorted, six digits; a third model's too."""
    found = findings(pictures, WITH_WIDE).scores
    text = as_json(found, "undecided")
    content = json.loads(text)
    assert text == json.dumps(content, indent=2, sort_keys=True) + "\n"
    assert list(content) == ["deep", "difference", "shallow", "verdict", "wide"]
    of_wide, test = content["wide"], found.models["wide"]["test"]
    assert list(of_wide) == ["accuracy", "balanced_accuracy", "log_loss", "roc_auc"]
    assert of_wide["log_loss"] == round(of_wide["log_loss"], 6) == test["log_loss"].mean
    of_verdict = test["balanced_accuracy"]._asdict()
    del of_verdict["std"]
    assert of_wide["balanced_accuracy"] == of_verdict
    difference = content["difference"]["balanced_accuracy"]
    assert list(difference) == ["high", "low", "mean", "p_value"]
    assert difference["p_value"] == found.question["balanced_accuracy"].p_value
