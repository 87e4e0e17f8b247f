"""metrics.json and scores.csv say what scikit-learn says, and are read back as written."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from checkouts import ROOT
from sklearn.metrics import accuracy_score, log_loss

from shallowdeep.evaluation.answers import Answers, of_fold_0
from shallowdeep.evaluation.intervals import differences
from shallowdeep.evaluation.metrics import at_a_glance, parsed, write
from shallowdeep.evaluation.score_table import comparison, evaluate, write_scores
from shallowdeep.evaluation.verdict import QUESTION, Pair, verdict
from shallowdeep.settings import params

SETTINGS = params.read(ROOT / "params.yaml").model_copy(update={"runs": 3})


def answer(models, pictures):
    """Of fold 0 on all splits."""
    answers = of_fold_0(
        {name: model.on_its_own(pictures) for name, model in models.items()}, pictures
    )
    rows = pictures.rows("test")
    array = torch.from_numpy(pictures.pictures)
    said = {
        name: model.probabilities(array, torch.from_numpy(rows)).double().numpy()
        for name, model in models.items()
    }
    return answers | {"test": Answers(pictures.labels[rows], rows, rows * 0, 82, said)}


def test_scores_are_means_over_runs(pictures, models):
    """scikit-learn's figures, run by run, then mean and standard deviation."""
    answers = answer(models, pictures)
    found = evaluate(answers, alpha=0.05)
    labels, probabilities = answers["test"].labels, answers["test"].probabilities
    accuracies = [accuracy_score(labels, run > 0.5) for run in probabilities["deep"]]
    accuracy = found.models["deep"]["test"]["accuracy"]
    assert accuracy.mean == pytest.approx(np.mean(accuracies), abs=1e-6)
    assert accuracy.std == pytest.approx(np.std(accuracies, ddof=1), abs=1e-6)
    losses = [log_loss(labels, run) for run in probabilities["shallow"]]
    loss = found.models["shallow"]["test"]["log_loss"]
    assert loss.mean == pytest.approx(np.mean(losses), abs=1e-5)


def test_with_folds_scores_are_means_of_the_folds_means(pictures, models):
    """Each fold's runs are scored on its own pictures, as scikit-learn scores them."""
    answers = answer(models, pictures)
    labels, test = answers["validation"].labels, answers["validation"]
    folds = np.zeros(len(labels), int)
    for label in (0, 1):
        own = np.flatnonzero(labels == label)
        folds[own[2:]] = 1
    found = evaluate(answers | {"test": test._replace(folds=folds)}, alpha=0.05)
    said = test.probabilities["deep"]
    means = [
        np.mean([log_loss(labels[folds == fold], run[folds == fold]) for run in said])
        for fold in (0, 1)
    ]
    interval = found.models["deep"]["test"]["log_loss"]
    assert interval.mean == pytest.approx(np.mean(means), abs=1e-6)


def clear(answers, deep, shallow):
    """The training pictures' answers in place of all others."""
    test = answers["train"]._replace(trained=82)
    said = test._replace(probabilities={"shallow": shallow, "deep": deep})
    return dict.fromkeys(answers, said)


def right_ones(answers):
    return np.where(answers["train"].labels == 1, 0.9, 0.1) + np.zeros((3, 1))


@pytest.mark.parametrize("better", ["deep", "shallow", ""])
def test_the_difference_decides_the_verdict(pictures, models, better):
    """Deep minus shallow; clear answers give a verdict, equal ones none."""
    answers = answer(models, pictures)
    right = right_ones(answers)
    deep, shallow = (1 - right if better == other else right for other in ("shallow", "deep"))
    found = evaluate(clear(answers, deep, shallow), alpha=0.05)
    of = comparison(found, QUESTION, 82, SETTINGS)
    assert verdict(of) == (better or "undecided")
    means = [found.models[name]["test"]["accuracy"].mean for name in ("deep", "shallow")]
    difference = found.question["accuracy"]
    assert difference.mean == pytest.approx(means[0] - means[1], abs=2e-6)
    assert difference.low <= difference.mean <= difference.high
    assert (difference.p_value < 0.05) == bool(better)


def test_every_pair_has_an_interval_and_all_hold_at_once(pictures, models):
    """Wider than each alone, and not than Bonferroni's; the question has its own beside it."""
    answers = answer(models | {"wide": models["shallow"]}, pictures)
    found = evaluate(answers, alpha=0.05)
    assert list(found.pairs) == [QUESTION, Pair("wide", "shallow"), Pair("wide", "deep")]
    test = answers["test"]
    deep, shallow = (test.probabilities[name] for name in QUESTION)
    alone = differences(test.design, deep, shallow, alpha=0.05)["log_loss"]
    most = differences(test.design, deep, shallow, alpha=0.05 / 3)["log_loss"]
    among = found.pairs[QUESTION]["test"]["log_loss"]
    assert found.question["log_loss"] == pytest.approx(alone, abs=1e-6)
    assert alone.high < among.high <= most.high + 1e-6
    assert alone.p_value < among.p_value <= 3 * alone.p_value + 1e-6
    same = found.pairs[Pair("wide", "shallow")]["test"]["log_loss"]
    assert (same.mean, same.p_value) == (0, 1)


def test_all_scores_stand_in_one_table(pictures, models, tmp_path):
    """Of models and pairs, on every split; p of pairs alone."""
    found = evaluate(answer(models | {"wide": models["deep"]}, pictures), alpha=0.05)
    write_scores(found, tmp_path / "scores.csv")
    table = pd.read_csv(tmp_path / "scores.csv")
    assert list(table) == ["model", "split", "score", "mean", "std", "low", "high", "p"]
    assert len(table) == (3 + 3) * 3 * 6
    pairs = table["model"].str.contains(" minus ")
    assert table["p"].notna().equals(pairs)
    row = table.set_index(["model", "split", "score"]).loc["wide", "validation", "f1"]
    assert row["mean"] == found.models["wide"]["validation"]["f1"].mean


def metrics(pictures, models):
    return at_a_glance(evaluate(answer(models, pictures), alpha=0.05), "undecided")


def test_a_person_reads_a_few_numbers(pictures, models, tmp_path):
    """Sixteen with two models, under the names of the contract; keys sorted, six digits."""
    write(metrics(pictures, models), tmp_path / "metrics.json")
    text = (tmp_path / "metrics.json").read_text()
    content = json.loads(text)
    assert text == json.dumps(content, indent=2, sort_keys=True) + "\n"
    assert list(content) == ["deep", "difference", "shallow", "verdict"]
    assert list(content["deep"]) == ["accuracy", "balanced_accuracy", "log_loss", "roc_auc"]
    assert list(content["deep"]["balanced_accuracy"]) == ["high", "low", "mean"]
    assert list(content["difference"]["balanced_accuracy"]) == ["high", "low", "mean", "p_value"]
    assert content["deep"]["accuracy"] == round(content["deep"]["accuracy"], 6)


def test_what_is_written_is_read_back(pictures, models, tmp_path):
    """All of it, a third model too."""
    found = metrics(pictures, models | {"wide": models["deep"]})
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
def test_anything_else_is_refused(pictures, models, tmp_path, old, new):
    """Wrong types and words, missing parts, numbers that are none or too large."""
    write(metrics(pictures, models), tmp_path / "metrics.json")
    text = (tmp_path / "metrics.json").read_text()
    assert old in text
    with pytest.raises(ValueError, match=r"missing|not a|verdict"):
        parsed(json.loads(text.replace(old, new, 1)))
