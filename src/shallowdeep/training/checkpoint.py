"""Checkpoints of long trainings, so that an interrupted one resumes instead of starting again."""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from shallowdeep.files.atomic import write_torch
from shallowdeep.files.checkout import checkpoints, remove_checkpoints

EVERY = 30.0  # seconds between checkpoints
WORTH = 1.0  # seconds that a training must have taken for its end to be saved

State = Mapping[str, Tensor]  # everything that a training changes


class Checkpoint:
    """The checkpoint of one training.

    A fingerprint of the training's inputs is in the file and in its name, so that the state of
    another training is never taken for it.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path, self._fingerprint = path, fingerprint
        self._saved = time.monotonic()

    def read(self, like: State) -> State | None:
        """Read the saved state; None, and the file is removed, if it cannot replace `like`."""
        try:
            content = torch.load(self._path, map_location="cpu", weights_only=True)
            saved: dict[str, Tensor] = content["state"]
            about = (content["fingerprint"], content["sha256"])
            if about != (self._fingerprint, checksum(saved.values())):
                raise ValueError("of another training, or altered")
            if _shapes(saved) != _shapes(like):
                raise ValueError("of other tensors")
        except Exception:  # whatever is wrong with it, the training can start again
            self._path.unlink(missing_ok=True)
            return None
        return saved

    def is_due(self, *, finished: bool = False) -> bool:
        """True if the last checkpoint is old enough for another one."""
        return time.monotonic() - self._saved >= (min(WORTH, EVERY) if finished else EVERY)

    def write(self, state: State) -> None:
        """Save a state."""
        tensors = {name: tensor.cpu() for name, tensor in state.items()}
        about = {"fingerprint": self._fingerprint, "sha256": checksum(tensors.values())}
        with suppress(FileNotFoundError):  # another experiment that is done took the folder away
            write_torch(self._path, about | {"state": tensors})
        self._saved = time.monotonic()


class Checkpoints:
    """The checkpoints of the trainings of one stage."""

    def __init__(self, stage: str, inputs: Mapping[str, Any]) -> None:
        content = json.dumps(inputs, sort_keys=True).encode()
        self._fingerprint = hashlib.sha256(content).hexdigest()
        self._name = f"{stage}.{self._fingerprint}"
        self._folder = checkpoints()

    def exist(self) -> bool:
        """True if a stage of just these inputs was interrupted."""
        return any(self._folder.glob(f"{self._name}.*.pt"))

    def of(self, number: int) -> Checkpoint:
        """The checkpoint of training `number` of this stage."""
        path = self._folder / f"{self._name}.{number}.pt"
        return Checkpoint(path, f"{self._fingerprint}.{number}")

    def remove(self) -> None:
        """Remove all of them: the stage is done."""
        remove_checkpoints(self._name)


def checksum(tensors: Iterable[Tensor]) -> str:
    """SHA-256 of the numbers of several tensors, in order."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().cpu().numpy().data)
    return digest.hexdigest()


def _shapes(state: State) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in state.items()}
