"""Measures of one epoch, as training has them."""

from typing import NamedTuple

from torch import Tensor

from shallowdeep.trained.history import MEASURES


class Epoch(NamedTuple):
    """Loss and accuracy of one epoch, run by run."""

    train_loss: Tensor  # [R], mean over the training pictures, each as its batch came up
    validation_loss: Tensor  # [R], after the epoch
    validation_accuracy: Tensor  # [R], after the epoch


assert Epoch._fields == MEASURES


def measures_in_words(train_loss: float, validation_accuracy: float) -> str:
    """Two means over runs."""
    return f"training loss {train_loss:.4f}, validation accuracy {validation_accuracy:.3f}"
