"""Evaluation asks who was not trained on a picture, and refuses what does not belong together."""

import numpy as np
import pytest
import torch
from checkouts import ROOT
from noise import write_prepared

from shallowdeep.evaluation.answers import check_belonging, of_fold_0, on_the_tested
from shallowdeep.files.errors import InputError
from shallowdeep.settings import params
from shallowdeep.training.made import parameters


def test_fold_0_is_asked_about_what_it_saw(pictures, models):
    """Every run about every picture, as the model itself answers it."""
    answers = of_fold_0(on_their_own(models, pictures), pictures)
    assert {split: len(of_split.labels) for split, of_split in answers.items()} == {
        "train": 82,
        "validation": 10,
    }
    row = answers["validation"].rows[3]
    picture = torch.from_numpy(pictures.pictures[[row]])
    alone = models["deep"].probabilities(picture, torch.arange(1))
    found = answers["validation"].probabilities["deep"][:, 3]
    np.testing.assert_allclose(found, alone[:, 0], rtol=1e-5)
    assert answers["validation"].labels[3] == pictures.labels[row]


def on_their_own(models, pictures):
    return {name: model.on_its_own(pictures) for name, model in models.items()}


def test_each_picture_is_asked_about_in_the_fold_that_tests_it(tmp_path):
    """With folds that is every picture, with a single split those of the test."""
    ten = write_prepared(tmp_path / "ten", count=100, seed=0, folds=10)
    said = np.random.default_rng(0).random((3, 100), dtype=np.float32)
    answers = on_the_tested(ten, {"deep": said})
    assert answers.rows.tolist() == list(range(100))
    assert answers.folds.tolist() == ten.manifest["fold"].tolist()
    assert answers.trained == 80
    assert np.array_equal(answers.probabilities["deep"], said)
    one = write_prepared(tmp_path / "one", count=100, seed=0)
    answers = on_the_tested(one, {"deep": said[:, :8]})
    assert answers.rows.tolist() == one.rows("test").tolist()
    assert set(answers.folds) == {0}


@pytest.fixture
def belonging(tmp_path, models):
    """How models were made, and pictures and parameters that belong to them."""
    pictures = write_prepared(tmp_path / "ten", count=100, seed=0, folds=10)
    settings = params.read(ROOT / "params.yaml")
    made = {
        name: model.made._replace(pictures=pictures.sha256, parameters=parameters(settings, name))
        for name, model in models.items()
    }
    check_belonging(made, pictures, settings)
    return made, pictures, settings


@pytest.mark.parametrize(
    ("key", "value"), [("lr", 0.02), ("seed", 1), ("runs", 3), ("keep", "best"), ("batch_size", 8)]
)
def test_a_model_of_other_parameters_is_named(belonging, key, value):
    """With what it was trained with and what is asked for."""
    made, pictures, settings = belonging
    asked = settings.model_copy(update={key: value})
    had = getattr(settings, key)
    with pytest.raises(
        InputError,
        match=rf"shallow\.pt: trained with {key}: {had}, params.yaml has {value}; `dvc repro`",
    ):
        check_belonging(made, pictures, asked)


def test_one_model_of_other_epochs_is_named(belonging):
    """The other may be as it should."""
    made, pictures, settings = belonging
    longer = settings.models["deep"].model_copy(update={"epochs": 30})
    asked = settings.model_copy(update={"models": dict(settings.models) | {"deep": longer}})
    with pytest.raises(InputError, match=r"deep\.pt: trained with epochs: 10, .* has 30"):
        check_belonging(made, pictures, asked)


def test_a_model_of_other_pictures_is_named(belonging, tmp_path):
    """Also where there are as many, of the same names."""
    made, _, settings = belonging
    other = write_prepared(tmp_path / "other", count=100, seed=1, folds=10)
    with pytest.raises(InputError, match=r"shallow\.pt: trained on other pictures"):
        check_belonging(made, other, settings)
    single = write_prepared(tmp_path / "single", count=100, seed=0)
    with pytest.raises(InputError, match=r"data/prepared: has folds: 1, params.yaml 10"):
        check_belonging(made, single, settings)
