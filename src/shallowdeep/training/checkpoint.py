"""A long training's state on disk, so that an interrupted one goes on instead of starting again."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shallowdeep.files.atomic import write_torch
from shallowdeep.files.checkout import checkpoints, remove_checkpoints
from shallowdeep.files.checksums import of_json, of_tensors

EVERY = 30.0  # seconds between states of a training that goes on
WORTH = 1.0  # seconds that a training must have taken for its end to be saved


class Checkpoint:
    """The place of one training's state.

    A fingerprint of all that the training depends on is in the file and in its name, so that the
    state of another one is never taken for it.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path, self._fingerprint = path, fingerprint
        self._saved = time.monotonic()

    def read(self) -> list[Tensor] | None:
        """The state that was saved last; None where there is none, or it is damaged."""
        try:
            content = torch.load(self._path, map_location="cpu", weights_only=True)
            tensors: list[Tensor] = content["tensors"]
            if (content["fingerprint"], content["sha256"]) != (
                self._fingerprint,
                of_tensors(tensors),
            ):
                raise ValueError("of another training, or altered")
        except FileNotFoundError:
            return None
        except Exception:  # whatever is wrong with it, the training can start again
            self.remove()
            return None
        return tensors

    def offer(self, state: Callable[[], list[Tensor]], *, finished: bool) -> None:
        """Save a state, unless the last one is young."""
        if time.monotonic() - self._saved < (min(WORTH, EVERY) if finished else EVERY):
            return
        tensors = state()
        about = {"fingerprint": self._fingerprint, "sha256": of_tensors(tensors)}
        with suppress(FileNotFoundError):  # another experiment that is done took the folder away
            write_torch(self._path, about | {"tensors": tensors})
        self._saved = time.monotonic()

    def remove(self) -> None:
        """The state is of no use any more."""
        self._path.unlink(missing_ok=True)


class Checkpoints:
    """Where the trainings of one stage leave their states."""

    def __init__(self, stage: str, inputs: Mapping[str, Any]) -> None:
        self._fingerprint = of_json(inputs)
        self._name = f"{stage}.{self._fingerprint}"
        self._folder = checkpoints()

    @property
    def exist(self) -> bool:
        """Whether a stage of just these inputs was interrupted."""
        return any(self._folder.glob(f"{self._name}.*.pt"))

    def of(self, number: int) -> Checkpoint:
        """The place of the training `number` of this stage."""
        path = self._folder / f"{self._name}.{number}.pt"
        return Checkpoint(path, f"{self._fingerprint}.{number}")

    def remove(self) -> None:
        """The stage is done."""
        remove_checkpoints(self._name)
