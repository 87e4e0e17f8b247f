"""metrics.json and scores.csv hold scikit-learn's scores, and metrics.json is read back."""

import json

import numpy as np
import pandas as pd
import pytest
from noise import write_prepared
from random_predictions import SHARES, differences, findings, networks
from sklearn.metrics import accuracy_score, log_loss

from shallowdeep.evaluation.metrics import at_a_glance, parsed, write
from shallowdeep.evaluation.score_table import score_table, write_scores
from shallowdeep.evaluation.split_predictions import by_split
from shallowdeep.evaluation.verdict import QUESTION, Pair, verdict

WITH_WIDE = SHARES | {"wide": 0.65}


def test_scores_are_means_over_runs(pictures):
    """scikit-learn's, run by run, then mean and standard deviation."""
    splits = by_split(networks(pictures), pictures)
    found = score_table(splits, alpha=0.05)
    labels, probabilities = splits["test"].labels, splits["test"].probabilities
    accuracies = [accuracy_score(labels, run > 0.5) for run in probabilities["deep"]]
    accuracy = found.models["deep"]["test"]["accuracy"]
    assert accuracy.mean == pytest.approx(np.mean(accuracies), abs=1e-6)
    assert accuracy.std == pytest.approx(np.std(accuracies, ddof=1), abs=1e-6)
    losses = [log_loss(labels, run) for run in probabilities["shallow"]]
    loss = found.models["shallow"]["test"]["log_loss"]
    assert loss.mean == pytest.approx(np.mean(losses), abs=1e-5)


def test_with_folds_scores_are_means_of_the_folds_means(pictures):
    """Each fold's runs are scored on its own pictures, as scikit-learn scores them."""
    splits = by_split(networks(pictures), pictures)
    test = splits["validation"]
    folds = np.zeros(len(test.labels), int)
    for label in (0, 1):
        folds[np.flatnonzero(test.labels == label)[2:]] = 1
    found = score_table({"test": test._replace(folds=folds)}, alpha=0.05)
    means = [
        np.mean([log_loss(test.labels[own], run[own]) for run in test.probabilities["deep"]])
        for own in (folds == 0, folds == 1)
    ]
    interval = found.models["deep"]["test"]["log_loss"]
    assert interval.mean == pytest.approx(np.mean(means), abs=1e-6)


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
    predictions = networks(pictures)
    splits = by_split(predictions | {"wide": predictions["shallow"]}, pictures)
    found = score_table(splits, alpha=0.05)
    assert list(found.pairs) == [QUESTION, Pair("wide", "shallow"), Pair("wide", "deep")]
    test = splits["test"]
    both = [test.probabilities[name] for name in QUESTION]
    alone = differences(test.design, *both, alpha=0.05)["log_loss"]
    most = differences(test.design, *both, alpha=0.05 / 3)["log_loss"]
    among = found.pairs[QUESTION]["test"]["log_loss"]
    assert found.question["log_loss"] == pytest.approx(alone, abs=1e-6)
    assert alone.high < among.high <= most.high + 1e-6
    assert alone.p_value < among.p_value <= 3 * alone.p_value + 1e-6
    same = found.pairs[Pair("wide", "shallow")]["test"]["log_loss"]
    assert (same.mean, same.p_value) == (0, 1)


def test_the_question_is_judged_by_itself_and_among_all_pairs(pictures):
    """The verdict's interval is the narrower one; every pair has one among all."""
    found = findings(pictures, WITH_WIDE)
    assert found.question.difference == found.scores.question["balanced_accuracy"]
    assert [one.pair for one in found.pairs] == list(found.scores.pairs)
    for one in found.pairs:
        assert one.difference == found.scores.pairs[one.pair]["test"]["balanced_accuracy"]
    among, alone = found.pairs[0].difference, found.question.difference
    assert among.high - among.low > alone.high - alone.low


def test_one_table_holds_all_scores(pictures, tmp_path):
    """Of models and pairs, on every split; p of pairs alone."""
    found = findings(pictures, WITH_WIDE).scores
    write_scores(found, tmp_path / "scores.csv")
    table = pd.read_csv(tmp_path / "scores.csv")
    assert list(table) == ["model", "split", "score", "mean", "std", "low", "high", "p"]
    assert len(table) == (3 + 3) * 3 * 6
    pairs = table["model"].str.contains(" minus ")
    assert table["p"].notna().equals(pairs)
    row = table.set_index(["model", "split", "score"]).loc["wide", "validation", "f1"]
    assert row["mean"] == found.models["wide"]["validation"]["f1"].mean


def metrics(pictures, shares=SHARES):
    return at_a_glance(findings(pictures, shares).scores, "undecided")


def test_a_person_reads_a_few_numbers(pictures, tmp_path):
    """Sixteen with two models, under the names of the contract; keys sorted, six digits."""
    write(metrics(pictures), tmp_path / "metrics.json")
    text = (tmp_path / "metrics.json").read_text()
    content = json.loads(text)
    assert text == json.dumps(content, indent=2, sort_keys=True) + "\n"
    assert list(content) == ["deep", "difference", "shallow", "verdict"]
    assert list(content["deep"]) == ["accuracy", "balanced_accuracy", "log_loss", "roc_auc"]
    assert list(content["deep"]["balanced_accuracy"]) == ["high", "low", "mean"]
    assert list(content["difference"]["balanced_accuracy"]) == ["high", "low", "mean", "p_value"]
    assert content["deep"]["accuracy"] == round(content["deep"]["accuracy"], 6)


def test_metrics_are_read_back(pictures, tmp_path):
    """All of them, a third model's too."""
    found = metrics(pictures, WITH_WIDE)
    write(found, tmp_path / "metrics.json")
    assert parsed(json.loads((tmp_path / "metrics.json").read_text())) == found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"verdict": "undecided"', '"verdict": "both"'),
        ('"verdict": "undecided"', '"verdict": ["deep"]'),
        ('"p_value": ', '"p_value": NaN, "q_value": '),
        ('"roc_auc": ', '"auc": '),
        ('"difference": {', '"apart": {'),
        ('"low": ', '"low": true, "lower": '),
        ('"low": ', f'"low": 1{"0" * 400}, "lower": '),
        ('"balanced_accuracy": {', '"balanced_accuracy": 3, "other": {'),
    ],
)
def test_anything_else_is_refused(pictures, tmp_path, old, new):
    """Wrong types and words, missing parts, numbers that are none or too large."""
    write(metrics(pictures), tmp_path / "metrics.json")
    text = (tmp_path / "metrics.json").read_text()
    assert old in text
    with pytest.raises(ValueError, match=r"missing|not a|verdict"):
        parsed(json.loads(text.replace(old, new, 1)))
