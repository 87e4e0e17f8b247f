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
from shallowdeep.training.ranks import BY_ITSELF, Team

EVERY = 30.0  # seconds between states of a training that goes on
TOGETHER = 16  # steps after which a team asks its first member whether it is time
WORTH = 1.0  # seconds that a training must have taken for its end to be saved


class Checkpoint:
    """The place of one training's state.

    A fingerprint of all that the training depends on is in the file and in its name, so that the
    state of another one is never taken for it. The members of a team have a place each: they save
    when the first of them does, and go on from there if they all can.
    """

    def __init__(self, path: Path, fingerprint: str, team: Team = BY_ITSELF) -> None:
        self._path, self._fingerprint, self._team = path, fingerprint, team
        self._saved = time.monotonic()
        self._offered = 0

    def read(self, fits: Callable[[list[Tensor]], bool] = lambda _: True) -> list[Tensor] | None:
        """The state that was saved last; None where there is none that is whole and fits."""
        saved, tensors = self._read()
        if tensors is not None and not fits(tensors):
            saved = 0
        if self._team.have_the_same(saved) and saved:
            return tensors
        self.remove()
        return None

    def _read(self) -> tuple[int, list[Tensor] | None]:
        """When it was saved, which is not 0, and what; 0 where it was not."""
        try:
            content = torch.load(self._path, map_location="cpu", weights_only=True)
            saved, tensors = int(content["saved"]), list(content["tensors"])
            about = (content["fingerprint"], content["sha256"])
            if about != (self._fingerprint, of_tensors(tensors)):
                raise ValueError("of another training, or altered")
        except Exception:  # whatever is wrong with it, the training can start again
            return 0, None
        return saved, tensors

    def offer(self, state: Callable[[], list[Tensor]], *, finished: bool) -> None:
        """Save a state, unless the last one is young."""
        self._offered += 1
        if self._team.size > 1 and not finished and self._offered % TOGETHER:
            return
        young = time.monotonic() - self._saved < (min(WORTH, EVERY) if finished else EVERY)
        saved = self._team.told_by_the_first(0 if young else time.time_ns())
        if not saved:
            return
        tensors = state()
        about = {"fingerprint": self._fingerprint, "sha256": of_tensors(tensors), "saved": saved}
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

    def exist(self, team: Team = BY_ITSELF) -> bool:
        """Whether a stage of just these inputs was interrupted, with teams of this size."""
        return any(self._folder.glob(f"{self._name}.*of{team.size}.pt"))

    def of(self, number: int, team: Team = BY_ITSELF) -> Checkpoint:
        """The place of the training `number` of this stage, and of this member of a team."""
        which = f"{number}.{team.member}of{team.size}"
        path = self._folder / f"{self._name}.{which}.pt"
        return Checkpoint(path, f"{self._fingerprint}.{which}", team)

    def remove(self) -> None:
        """The stage is done."""
        remove_checkpoints(self._name)
