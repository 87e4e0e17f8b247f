"""Evaluation asks every model about every split."""

import numpy as np
import torch

from shallowdeep.evaluation.answers import answer


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
