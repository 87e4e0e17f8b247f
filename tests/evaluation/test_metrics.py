"""metrics.json says what scikit-learn says, and is read back as it was written."""

import json

import numpy as np
import pytest
import torch
from checkouts import ROOT
from sklearn.metrics import accuracy_score, log_loss

from shallowdeep.evaluation.answers import Answers, of_fold_0
from shallowdeep.evaluation.metrics import evaluate, parsed, write
from shallowdeep.settings import params

SETTINGS = params.read(ROOT / "params.yaml").model_copy(update={"runs": 3})


def answer(models, pictures):
    """Of fold 0 on all splits."""
    answers = of_fold_0(models, pictures)
    rows = pictures.rows("test")
    array = torch.from_numpy(pictures.pictures)
    said = {
        name: model.probabilities(array, torch.from_numpy(rows)).double().numpy()
        for name, model in models.items()
    }
    return answers | {"test": Answers(pictures.labels[rows], rows, rows * 0, 82, said)}


def test_metrics_are_means_over_runs(pictures, models):
    """scikit-learn's figures, run by run, then mean and standard deviation; the first run's too."""
    answers = answer(models, pictures)
    found = evaluate(answers, SETTINGS)
    labels, probabilities = answers["test"].labels, answers["test"].probabilities
    accuracies = [accuracy_score(labels, run > 0.5) for run in probabilities["deep"]]
    accuracy = found.models["deep"]["test"]["accuracy"]
    assert accuracy.mean == pytest.approx(np.mean(accuracies), abs=1e-6)
    assert accuracy.std == pytest.approx(np.std(accuracies, ddof=1), abs=1e-6)
    assert found.first_run["deep"] == pytest.approx(accuracies[0], abs=1e-6)
    losses = [log_loss(labels, run) for run in probabilities["shallow"]]
    loss = found.models["shallow"]["test"]["log_loss"]
    assert loss.mean == pytest.approx(np.mean(losses), abs=1e-5)


def test_with_folds_metrics_are_means_of_the_folds_means(pictures, models):
    """Each fold's runs are scored on its own pictures, as scikit-learn scores them."""
    answers = answer(models, pictures)
    labels, test = answers["validation"].labels, answers["validation"]
    folds = np.zeros(len(labels), int)
    for label in (0, 1):
        own = np.flatnonzero(labels == label)
        folds[own[2:]] = 1
    found = evaluate(answers | {"test": test._replace(folds=folds)}, SETTINGS)
    said = test.probabilities["deep"]
    means = [
        np.mean([log_loss(labels[folds == fold], run[folds == fold]) for run in said])
        for fold in (0, 1)
    ]
    interval = found.models["deep"]["test"]["log_loss"]
    assert interval.mean == pytest.approx(np.mean(means), abs=1e-6)
    first = accuracy_score(labels[folds == 0], said[0, folds == 0] > 0.5)
    assert found.first_run["deep"] == pytest.approx(first, abs=1e-6)


def test_the_difference_decides_the_verdict(pictures, models):
    """Deep minus shallow, on every split; clear answers give a verdict, equal ones none."""
    answers = answer(models, pictures)
    test = answers["train"]._replace(trained=82)
    labels = test.labels
    right = np.clip(np.where(labels == 1, 0.9, 0.1) + np.zeros((3, 1)), 0, 1)
    for deep, shallow, expected in (
        (right, 1 - right, "deep"),
        (1 - right, right, "shallow"),
        (right, right, "undecided"),
    ):
        said = test._replace(probabilities={"shallow": shallow, "deep": deep})
        found = evaluate(dict.fromkeys(answers, said), SETTINGS)
        assert found.verdict == expected
        difference = found.difference["test"]["accuracy"]
        means = [found.models[name]["test"]["accuracy"].mean for name in ("deep", "shallow")]
        assert difference.mean == pytest.approx(means[0] - means[1], abs=2e-6)
        assert difference.low <= difference.mean <= difference.high
        assert (difference.p_value < 0.05) == (expected != "undecided")


def test_what_is_written_is_read_back(pictures, models, tmp_path):
    """All of it, a third model too."""
    found = evaluate(answer(models | {"wide": models["deep"]}, pictures), SETTINGS)
    write(found, tmp_path / "metrics.json")
    assert parsed(json.loads((tmp_path / "metrics.json").read_text())) == found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"verdict": "undecided"', '"verdict": "both"'),
        ('"verdict": "undecided"', '"verdict": ["deep"]'),
        ('"first_run": ', '"first_run": "x", "last_run": '),
        ('"p_value": ', '"p_value": NaN, "q_value": '),
        ('"roc_auc": {', '"auc": {'),
        ('"train": {', '"training": {'),
        ('"difference": {', '"apart": {'),
        ('"std": ', '"std": true, "sd": '),
    ],
)
def test_anything_else_is_refused(pictures, models, tmp_path, old, new):
    """Wrong types and words, missing parts, numbers that are none."""
    write(evaluate(answer(models, pictures), SETTINGS), tmp_path / "metrics.json")
    text = (tmp_path / "metrics.json").read_text()
    assert old in text
    with pytest.raises(ValueError, match=r"missing|not a|verdict"):
        parsed(json.loads(text.replace(old, new, 1)))
