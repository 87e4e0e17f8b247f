"""results/provenance/STAGE.json: what made a stage's outputs, and on what machine.

The files are no outputs of the pipeline, so that the same inputs give the same hashes anywhere; git
ignores them. Hashes of inputs are taken when the stage starts, while DVC takes its own after it: a
file that was edited in between has another hash here than in dvc.lock.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse
from shallowdeep.provenance.dvc_hash import md5
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


@contextmanager
def recorded(
    stage: str, *, root: Path = Path(), output: Path | None = None
) -> Iterator[Hashes | None]:
    """Run a stage's body and, once it has ended well, write what made its outputs.

    Args:
        stage: its name in ./dvc.yaml. Where it is in no such file, nothing is recorded.
        root: the project's folder, as seen from here; the record's paths are relative to it.
        output: what this run writes, if it can be other than what dvc.yaml says; then nothing is
            recorded.

    Yields:
        The hashes of its inputs; None where nothing is recorded.
    """
    inputs, outputs = _paths(stage)
    if not outputs or (output is not None and str(output) not in outputs):
        yield None
        return
    file = root / FOLDER / f"{stage}.json"
    file.unlink(missing_ok=True)  # it is of the outputs that go now
    started, clock = datetime.now(UTC), time.monotonic()
    hashes = _hashes(inputs, root)
    yield hashes
    record = Record(
        stage=stage,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 3),
        inputs=hashes,
        outputs=_hashes(outputs, root),
        git=commit(),
        environment=environment(),
    )
    write(record, file)


def write(record: Record, path: Path) -> None:
    """Write a record as JSON."""
    content = record._asdict() | {"environment": record.environment._asdict()}
    content["git"] = record.git._asdict() if record.git else None
    write_text(path, json.dumps(content, indent=2) + "\n")


def read_all(folder: Path) -> dict[str, Record]:
    """Records by stage; what is damaged, or of another version of this project, says nothing."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        with suppress(ValueError, TypeError, LookupError, AttributeError):
            content = json.loads(path.read_text(encoding="utf-8"))
            git, environment = content.pop("git"), content.pop("environment")
            found[path.stem] = Record(
                **content, git=git and Commit(**git), environment=Environment(**environment)
            )
    return found


def _paths(stage: str) -> tuple[list[str], list[str]]:
    """What dvc.yaml says that a stage reads and writes; nothing where there is no such stage."""
    try:
        content = parse(Path("dvc.yaml"))["stages"][stage]
    except (OSError, InputError, LookupError, TypeError):
        return [], []
    inputs = [str(dep) for dep in content["deps"]]
    if Path("params.yaml").exists():
        params = parse(Path("params.yaml"))
        with suppress(LookupError, TypeError):  # what is wrong with it, the stage says
            inputs = [dep.replace("${data.dir}", str(params["data"]["dir"])) for dep in inputs]
        inputs.append("params.yaml")
    outputs = [
        path
        for kind in ("outs", "metrics", "plots")
        for out in content.get(kind, [])
        for path in (out if isinstance(out, dict) else [out])
    ]
    return inputs, outputs


def _hashes(paths: list[str], root: Path) -> Hashes:
    """By path as seen from `root`, or as it is if it is absolute."""
    return {
        path if Path(path).is_absolute() else os.path.relpath(path, root): md5(Path(path))
        for path in paths
    }
