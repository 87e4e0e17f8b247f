"""results/provenance/STAGE.json: what made a stage's outputs, and on what machine.

The files are no outputs of the pipeline, so that the same inputs give the same hashes anywhere; git
ignores them. Hashes of inputs are taken when the stage starts, while DVC takes its own after it: a
file that was edited in between has another hash here than in dvc.lock.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from shallowdeep.files.atomic import write_text
from shallowdeep.files.checksums import of_json
from shallowdeep.files.errors import InputError
from shallowdeep.files.known_digests import known_md5
from shallowdeep.files.progress import Progress
from shallowdeep.provenance.declared import declared_stages
from shallowdeep.provenance.dvc_hash import files, md5
from shallowdeep.provenance.environment import Commit, Environment, commit, environment

FOLDER = Path("results/provenance")

Hashes = Mapping[str, str | None]  # by path; None where there is nothing, or it cannot be read


class Record(NamedTuple):
    """What made a stage's outputs."""

    stage: str
    started: str  # ISO 8601
    seconds: float
    inputs: Hashes  # as they were when the stage started
    outputs: Hashes
    git: Commit | None  # None outside of a repository
    environment: Environment


class Inputs:
    """What a stage reads, as it was when the stage started."""

    def __init__(self, paths: list[str], root: Path) -> None:
        self._paths, self._root = paths, root
        self._seen = {path: _seen(path) for path in paths}
        sizes = [size for seen in self._seen.values() for _, _, size, _ in seen]
        with Progress("hashing what it reads", sum(sizes), unit="B") as progress:
            self.hashes = _hashes(paths, root, progress.advance)

    def check_unchanged(self) -> None:
        """Let a stage write only what belongs to what is there now.

        One that was left behind by a run that was killed, or whose inputs somebody has edited,
        would put results of the old inputs in place of, or beside, those of the new ones.

        Raises:
            InputError: an input is another one by now.
        """
        for path in self._paths:
            if _seen(path) != self._seen[path]:
                (name,) = _hashes([path], self._root)
                if md5(Path(path)) != self.hashes[name]:
                    raise InputError(
                        f"{path} has changed while this stage ran; nothing was written, type"
                        " `dvc repro`"
                    )


@contextmanager
def unrecorded(stage: str, *, root: Path = Path()) -> Iterator[Inputs | None]:
    """As `recorded`, for a process that helps another one with the stage, and writes nothing."""
    inputs, outputs = _paths(stage)
    yield Inputs(inputs, root) if outputs else None


@contextmanager
def recorded(
    stage: str, *, root: Path = Path(), output: Path | None = None
) -> Iterator[Inputs | None]:
    """Run a stage's body and, once it has ended well, write what made its outputs.

    Args:
        stage: its name in ./dvc.yaml. Where it is in no such file, nothing is recorded.
        root: the project's folder, as seen from here; the record's paths are relative to it.
        output: what this run writes, if it can be other than what dvc.yaml says; then nothing is
            recorded.

    Yields:
        Its inputs; None where nothing is recorded.
    """
    inputs, outputs = _paths(stage)
    if not outputs or (output is not None and str(output) not in outputs):
        yield None
        return
    started, clock = datetime.now(UTC), time.monotonic()
    read = Inputs(inputs, root)
    file = root / FOLDER / f"{stage}.json"
    file.unlink(missing_ok=True)  # it is of the outputs that go now
    yield read
    record = Record(
        stage=stage,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 3),
        inputs=read.hashes,
        outputs=_hashes(outputs, root),
        git=commit(),
        environment=environment(),
    )
    write(record, file)


def write(record: Record, path: Path) -> None:
    """Write a record as JSON, with its checksum."""
    content = record._asdict() | {"environment": record.environment._asdict()}
    content["git"] = record.git._asdict() if record.git else None
    write_text(path, _text(content))


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content | {"sha256": of_json(content)}, indent=2) + "\n"


def is_whole(path: Path) -> bool:
    """Whether each byte of a record is as `write` left it."""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        del content["sha256"]
        return text == _text(content)
    except (OSError, ValueError, TypeError, LookupError):
        return False


def read_all(folder: Path) -> dict[str, Record]:
    """Records by stage; what is damaged, or of another version of this project, says nothing."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        with suppress(ValueError, TypeError, LookupError, AttributeError):
            content = json.loads(path.read_text(encoding="utf-8"))
            content.pop("sha256", None)
            git, environment = content.pop("git"), content.pop("environment")
            found[path.stem] = Record(
                **content, git=git and Commit(**git), environment=Environment(**environment)
            )
    return found


def _paths(stage: str) -> tuple[list[str], list[str]]:
    """What dvc.yaml says that a stage reads and writes; nothing where there is no such stage."""
    try:
        declared = declared_stages(Path())[stage]
    except (OSError, InputError, LookupError):
        return [], []
    params = ["params.yaml"] if Path("params.yaml").exists() else []
    return list(dict.fromkeys([*declared.deps, *params])), declared.outs


def _hashes(
    paths: list[str], root: Path, advance: Callable[[int], None] = lambda _: None
) -> Hashes:
    """By path as seen from `root`, or as it is if it is absolute."""

    def of_file(path: Path) -> str:
        return known_md5(path, advance)

    return {
        path if Path(path).is_absolute() else os.path.relpath(path, root): md5(
            Path(path), of_file=of_file
        )
        for path in paths
    }


def _seen(path: str) -> list[tuple[str, int, int, int]]:
    """What tells quickly that a file, or one in a folder, is the same: name, inode, size, time."""
    found = []
    for file in files(Path(path)):
        with suppress(OSError):
            about = file.stat()
            found.append((str(file), about.st_ino, about.st_size, about.st_mtime_ns))
    return found
