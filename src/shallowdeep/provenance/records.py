"""results/provenance/STAGE.json: when, on what machine and from which files a stage ran.

The files are no outputs of the pipeline, so that the same inputs give the same hashes anywhere; git
ignores them.
"""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import InputError
from shallowdeep.provenance.dvc_stage import DvcStage, Hashes
from shallowdeep.provenance.environment import Commit, Environment, commit, environment

FOLDER = Path("results/provenance")


class Record(NamedTuple):
    """Provenance of a stage's outputs."""

    stage: str
    started: str  # ISO 8601
    seconds: float
    inputs: Hashes
    outputs: Hashes
    git: Commit | None  # None outside of a repository
    environment: Environment


class Run:
    """One run of a stage: the files it reads as they are now, and the record it leaves.

    Attributes:
        stage: the one that DVC runs; None by hand, where nothing is checked or recorded.
        inputs: DVC's hash of each file and folder that it reads, as it was at the start. DVC has
            just hashed them and remembers.
    """

    def __init__(self, stage: DvcStage | None) -> None:
        self.stage = stage
        self._started, self._clock = datetime.now(UTC), time.monotonic()
        self._seen = {path: _signature(stage.root / path) for path in stage.inputs} if stage else {}
        self.inputs: Hashes = stage.hashes(stage.inputs) if stage else {}
        if stage:
            self._file.unlink(missing_ok=True)  # it belongs to the outputs that are replaced now

    @property
    def _file(self) -> Path:
        assert self.stage
        name = self.stage.name.rpartition(":")[2]
        return self.stage.root / FOLDER / f"{name}.json"

    def check_unchanged(self) -> None:
        """Refuse to write results of inputs that have changed since the stage began.

        A stage that outlived its DVC, or whose inputs somebody has edited, would put them in the
        place of, or among, those of the new inputs.

        Raises:
            InputError: an input has changed.
        """
        for path, seen in self._seen.items():
            assert self.stage
            if _signature(self.stage.root / path) == seen:
                continue
            if self.stage.hashes([path])[path] != self.inputs[path]:
                raise InputError(
                    f"{path} has changed while this stage ran; nothing was written, type"
                    " `dvc repro`"
                )

    @cached_property
    def record(self) -> Record | None:
        """The record of a stage whose outputs are written; None by hand."""
        if self.stage is None:
            return None
        return Record(
            stage=self.stage.name.rpartition(":")[2],
            started=self._started.isoformat(timespec="milliseconds"),
            seconds=round(time.monotonic() - self._clock, 3),
            inputs=self.inputs,
            outputs=self.stage.hashes(self.stage.outputs),
            git=commit(),
            environment=environment(),
        )

    def finish(self) -> None:
        """Write the record, once all outputs are written."""
        if self.record:
            content = self.record._asdict() | {"environment": self.record.environment._asdict()}
            content["git"] = self.record.git._asdict() if self.record.git else None
            write_text(self._file, json.dumps(content, indent=2) + "\n")


def read_all(folder: Path) -> dict[str, Record]:
    """Records by stage; a damaged one, or one of another version of this project, is left out."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        with suppress(ValueError, TypeError, LookupError, AttributeError):
            content = json.loads(path.read_text(encoding="utf-8"))
            git, environment = content.pop("git"), content.pop("environment")
            found[path.stem] = Record(
                **content, git=git and Commit(**git), environment=Environment(**environment)
            )
    return found


def _signature(path: Path) -> tuple[str, int] | None:
    """Time and size of a file, or of all files in a folder, as DVC notices changes."""
    from dvc.fs import localfs
    from dvc_data.hashfile.utils import get_mtime_and_size

    with suppress(OSError):
        time_and_size: tuple[str, int] = get_mtime_and_size(str(path), localfs)
        return time_and_size
    return None
