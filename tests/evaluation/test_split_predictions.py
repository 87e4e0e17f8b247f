"""Each picture is predicted by the runs of the fold that tests it."""

import numpy as np
from noise import write_prepared
from random_predictions import drawn, networks

from shallowdeep.evaluation.split_predictions import by_split


def test_fold_0_predicts_the_pictures_that_it_trained_on(pictures):
    """Its training and its validation pictures, by every run."""
    predictions = networks(pictures)
    splits = by_split(predictions, pictures)
    shown = [(len(split.rows), split.design.trained) for split in splits.values()]
    assert shown == [(82, 0), (10, 82), (8, 82)]
    for name in ("train", "validation"):
        split, expected = splits[name], getattr(predictions["deep"], name)
        assert np.array_equal(split.probabilities["deep"], expected)
        assert np.array_equal(split.design.labels, pictures.labels[split.rows])
        assert split.design.folds.tolist() == [0] * len(split.rows)


def test_tested_pictures_have_the_last_predictions_of_their_fold(tmp_path, pictures):
    """With folds those are all pictures, with a single split those of the test."""
    ten = write_prepared(tmp_path / "ten", count=100, seed=0, folds=10)
    predictions = drawn(ten, 0.6)
    test = by_split({"deep": predictions}, ten)["test"]
    assert test.rows.tolist() == list(range(100))
    assert test.design.folds.tolist() == ten.manifest["fold"].tolist()
    assert test.design.trained == 80
    assert np.array_equal(test.probabilities["deep"], predictions.test[-1])
    test = by_split({"deep": drawn(pictures, 0.6)}, pictures)["test"]
    assert test.rows.tolist() == pictures.rows("test").tolist()
    assert set(test.design.folds) == {0}
