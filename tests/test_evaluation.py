"""Evaluation asks every model about every split."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

from shallowdeep.evaluation import Answers, answer, metrics
from shallowdeep.model import Model
from shallowdeep.network import draw
from shallowdeep.normalisation import Normalisation


@pytest.fixture
def models(pictures):
    """Two untrained models of three runs."""
    half = Normalisation(pictures.mean, pictures.std)
    seeds = [0, 1, 2]
    return {
        name: Model(
            draw(432, hidden, [torch.Generator().manual_seed(seed) for seed in seeds]),
            seeds,
            pictures.classes,
            pictures.size,
            half,
        )
        for name, hidden in (("shallow", [4]), ("deep", [5, 5, 3]))
    }


def test_every_picture_is_answered_by_every_run(pictures, models):
    """As the model itself answers it."""
    answers = answer(models, pictures)
    assert {split: len(of_split.labels) for split, of_split in answers.items()} == {
        "train": 82,
        "validation": 10,
        "test": 8,
    }
    row = answers["test"].rows[3]
    picture = torch.from_numpy(pictures.pictures[[row]])
    alone = models["deep"].probabilities(picture, torch.arange(1))
    np.testing.assert_allclose(answers["test"].probabilities["deep"][:, 3], alone[:, 0], rtol=1e-5)
    assert answers["test"].labels[3] == pictures.labels[row]


def test_metrics_are_means_over_runs(pictures, models):
    """scikit-learn's figures, run by run, then mean and standard deviation; the first run's too."""
    answers = answer(models, pictures)
    content = metrics(answers, alpha=0.05)
    labels, _, probabilities = answers["test"]
    accuracies = [accuracy_score(labels, run > 0.5) for run in probabilities["deep"]]
    accuracy = content["deep"]["test"]["accuracy"]
    assert accuracy["mean"] == pytest.approx(np.mean(accuracies), abs=1e-6)
    assert accuracy["std"] == pytest.approx(np.std(accuracies, ddof=1), abs=1e-6)
    assert accuracy["first_run"] == pytest.approx(accuracies[0], abs=1e-6)
    losses = [log_loss(labels, run) for run in probabilities["shallow"]]
    assert content["shallow"]["test"]["log_loss"]["mean"] == pytest.approx(
        np.mean(losses), abs=1e-5
    )


def test_the_difference_decides_the_verdict(pictures, models):
    """Deep minus shallow, on every split; clear answers give a verdict, equal ones none."""
    answers = answer(models, pictures)
    labels, rows, _ = answers["test"]
    right = np.clip(np.where(labels == 1, 0.9, 0.1) + np.zeros((3, 1)), 0, 1)
    for deep, shallow, expected in (
        (right, 1 - right, "deep"),
        (1 - right, right, "shallow"),
        (right, right, "undecided"),
    ):
        said = Answers(labels, rows, {"shallow": shallow, "deep": deep})
        content = metrics(dict.fromkeys(answers, said), alpha=0.05)
        assert content["verdict"] == expected
        difference = content["difference"]["test"]["accuracy"]
        means = [content[name]["test"]["accuracy"]["mean"] for name in ("deep", "shallow")]
        assert difference["mean"] == pytest.approx(means[0] - means[1], abs=2e-6)
        assert difference["low"] <= difference["mean"] <= difference["high"]
        assert (difference["p_value"] < 0.05) == (expected != "undecided")
