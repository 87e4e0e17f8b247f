"""A live view of a training for TensorBoard: `STAGE_LIVE=1 dvc repro` writes it below live/."""

import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from shallowdeep.files.checkout import original_checkout
from shallowdeep.trained.history import MEASURES
from shallowdeep.training.sgd import Epoch

ASKED, FOLDER = "STAGE_LIVE", "live"
SECONDS = 1  # between writes


class Live:
    """Event files of one training, a folder for each group of runs; nothing unless asked for.

    Args:
        network: its name.
    """

    def __init__(self, network: str) -> None:
        self._asked = os.environ.get(ASKED, "") not in ("", "0")
        start = f"{datetime.now():%Y-%m-%d %H.%M.%S}"
        self._folder = original_checkout(Path()) / FOLDER / network / start

    def curves(self, group: str) -> AbstractContextManager[Any]:
        """Writer of a group's curves; None, with a line, where it cannot write."""
        if not self._asked:
            return nullcontext()
        from tensorboardX import SummaryWriter  # takes half a second

        folder = self._folder / group
        try:
            writer: AbstractContextManager[Any] = SummaryWriter(str(folder), flush_secs=SECONDS)
        except OSError as error:
            print(f"{ASKED}: {folder}: {error.strerror}; nothing is shown", file=sys.stderr)
            return nullcontext()
        return writer


def add(writer: Any, number: int, epoch: Epoch, runs: Mapping[str, Tensor]) -> None:
    """Add an epoch's means over sets of runs, by name; an empty set adds nothing."""
    for name, chosen in runs.items():
        for measure, of_runs in zip(MEASURES, epoch, strict=True):
            if chosen.any():
                writer.add_scalar(f"{measure}{name}", float(of_runs[chosen].mean()), number)
