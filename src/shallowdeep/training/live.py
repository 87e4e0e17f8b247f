"""A live view of a training for TensorBoard: `STAGE_LIVE=1 dvc repro` writes it below live/."""

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shallowdeep.files.checkout import original_checkout
from shallowdeep.trained.history import MEASURES
from shallowdeep.training.sgd import Epoch

if TYPE_CHECKING:
    from torch import Tensor

ASKED, FOLDER = "STAGE_LIVE", "live"
SECONDS = 1  # between writes


class Live:
    """Event files of one network, a folder for each group of runs; nothing unless asked for.

    Args:
        network: its name.
    """

    def __init__(self, network: str) -> None:
        self._asked = os.environ.get(ASKED, "") not in ("", "0")
        self._folder = original_checkout(Path()) / FOLDER / network

    def curves(self, group: str) -> AbstractContextManager[Any]:
        """Writer of a group's curves; those of a former training of it are removed."""
        if not self._asked:
            return nullcontext()
        from tensorboardX import SummaryWriter  # takes half a second

        folder = self._folder / group
        for file in folder.glob("events.out.*"):
            file.unlink()
        writer: AbstractContextManager[Any] = SummaryWriter(str(folder), flush_secs=SECONDS)
        return writer


def add(writer: Any, number: int, epoch: Epoch, finite: "Tensor") -> None:
    """Add the means of an epoch over the runs whose measures are finite."""
    for measure, of_runs in zip(MEASURES, epoch, strict=True):
        writer.add_scalar(measure, float(of_runs[finite].mean()), number)
