"""A long training's state on disk, so that an interrupted one goes on instead of starting again."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from shallowdeep.files.atomic import write_torch
from shallowdeep.files.checksums import of_json, of_tensors

FOLDER = Path(".checkpoints")
EVERY = 30.0  # seconds


class Checkpoint:
    """The place of one training's state.

    Its file's name holds a fingerprint of all that the training depends on, so that the state of
    another one is never taken for it; such states of the same stage are removed.
    """

    def __init__(self, stage: str, inputs: Mapping[str, Any]) -> None:
        self._path = FOLDER / f"{stage}.{of_json(inputs)}.pt"
        for other in FOLDER.glob(f"{stage}.*.pt"):
            if other != self._path:
                other.unlink(missing_ok=True)
        self._saved = time.monotonic()

    @property
    def exists(self) -> bool:
        """Whether a training of just these inputs was interrupted."""
        return self._path.exists()

    def read(self) -> dict[str, Any] | None:
        """The state that was saved last; None where there is none, or it is damaged."""
        try:
            content: dict[str, Any] = torch.load(self._path, map_location="cpu", weights_only=True)
            if content.pop("sha256") != of_tensors(content["tensors"]):
                raise ValueError("altered")
        except FileNotFoundError:
            return None
        except Exception:  # whatever is wrong with it, the training can start again
            self._path.unlink(missing_ok=True)
            return None
        return content

    def offer(self, state: Callable[[], dict[str, Any]]) -> None:
        """Save a state, unless the last one is young."""
        if time.monotonic() - self._saved < EVERY:
            return
        content = state()
        write_torch(self._path, content | {"sha256": of_tensors(content["tensors"])})
        self._saved = time.monotonic()

    def remove(self) -> None:
        """The training is done."""
        self._path.unlink(missing_ok=True)
        if FOLDER.exists() and not any(FOLDER.iterdir()):
            FOLDER.rmdir()
