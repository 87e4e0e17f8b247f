"""What a git revision, an experiment of DVC or the workspace says, if its results belong to it."""

import hashlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shallowdeep.commands import belonging, lock
from shallowdeep.commands.belonging import DATA, LOCK, METRICS, PARAMS, Version
from shallowdeep.commands.lock import Lock
from shallowdeep.evaluation import metrics
from shallowdeep.evaluation.change import ExperimentPredictions
from shallowdeep.evaluation.intervals import Design
from shallowdeep.evaluation.metrics import Metrics
from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse_bytes
from shallowdeep.prepared.folds import fold
from shallowdeep.prepared.prepared_set import read_manifest
from shallowdeep.provenance import tried
from shallowdeep.settings import params
from shallowdeep.settings.params import Params

if TYPE_CHECKING:
    from dvc.repo import Repo

WORKSPACE = "workspace"


class Experiment(NamedTuple):
    """An experiment whose results are of its parameters, code and pictures."""

    name: str
    params: Params
    metrics: Metrics
    numbers: Mapping[str, float]  # of metrics.json, by their names in `dvc metrics diff`
    said: ExperimentPredictions | None  # where it was asked for
    tried: int  # experiments on its pictures in this checkout


def numbers(metrics: object, prefix: str = "") -> dict[str, float]:
    """All finite numbers of a metrics file, by their names in `dvc metrics diff`: keys and dots."""
    if isinstance(metrics, Mapping):
        return {
            name: number
            for key, value in metrics.items()
            for name, number in numbers(value, f"{prefix}.{key}" if prefix else str(key)).items()
        }
    if isinstance(metrics, bool) or not isinstance(metrics, int | float):
        return {}
    return {prefix: float(metrics)} if math.isfinite(metrics) else {}


def read(revisions: Sequence[str], *, answers: bool) -> list[Experiment]:
    """Read experiments, and refuse results that are not of what they stand beside.

    Args:
        revisions: of git, names of experiments of DVC, or `workspace`.
        answers: whether what the networks said is wanted too.

    Raises:
        InputError: no such revision, or one without results of this project, or with those of
            other parameters, code or pictures; answers that are not in DVC's cache; or this is not
            the project's folder.
    """
    if not Path("dvc.yaml").exists():
        raise InputError("there is no dvc.yaml here; run it at the top of the project")
    from dvc.exceptions import DvcException  # takes a second
    from dvc.repo import Repo
    from scmrepo.exceptions import SCMError

    try:
        with Repo() as repo:
            return [_read(repo, revision, answers=answers) for revision in revisions]
    except (DvcException, SCMError) as error:
        raise InputError(str(error)) from None


def _read(repo: "Repo", revision: str, *, answers: bool) -> Experiment:
    version = _version(repo, revision)
    texts = {name: _text(version, name) for name in (PARAMS, LOCK, METRICS)}
    content = parse_bytes(texts[PARAMS], f"{revision}: {PARAMS}")
    settings = params.from_content(content, f"{revision}: {PARAMS}")
    locked = lock.parsed(parse_bytes(texts[LOCK], f"{revision}: {LOCK}"), f"{revision}: {LOCK}")
    belonging.check_results(version, locked, content)
    try:
        found = json.loads(texts[METRICS])
        scores = metrics.parsed(found)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{revision}: {METRICS} is not of this project: {error}") from None
    said = _said(version, locked, settings) if answers else None
    read = lock.hashes(locked.stages[belonging.LAST].deps)
    return Experiment(
        revision, settings, scores, numbers(found), said, tried.experiments(read, read.get(DATA))
    )


def _version(repo: "Repo", revision: str) -> Version:
    if revision == WORKSPACE:
        return Version(revision, lambda path: Path(path).read_bytes(), repo)
    from dvc.scm import RevError, resolve_rev

    try:
        tree = repo.scm.get_fs(resolve_rev(repo.scm, revision))
    except RevError as error:
        raise InputError(f"{revision}: {error}") from None
    top = Path(repo.root_dir).relative_to(repo.scm.root_dir)
    return Version(revision, lambda path: bytes(tree.cat_file(str(top / path))), repo)


def _text(version: Version, path: str) -> bytes:
    try:
        return version.tracked(path)
    except OSError:
        raise InputError(f"{version.name}: has no {path}; `dvc repro` makes results") from None


def _said(version: Version, locked: Lock, settings: Params) -> ExperimentPredictions:
    """What the networks say about the pictures that were tested."""
    where = f"{version.name}: {DATA}/manifest.csv"
    try:
        file = io.BytesIO(version.output(locked, f"{DATA}/manifest.csv"))
        manifest = read_manifest(file)
    except (ValueError, LookupError):
        raise InputError(f"{where}: damaged; `dvc repro --force` makes it anew") from None
    parts = manifest["fold"].to_numpy(np.int64)
    tested = np.flatnonzero(parts < settings.folds)
    design = Design(
        manifest["label"].to_numpy(np.int64)[tested],
        parts[tested],
        len(fold(parts, 0, folds=settings.folds).train),
    )
    probabilities = {
        name: _answers(version, locked, f"results/{name}/answers.npy", (settings.runs, len(tested)))
        for name in settings.models
    }
    pictures = manifest["sha256"].to_numpy(str)[tested]
    return ExperimentPredictions(pictures, design, settings.seed, probabilities)


def _answers(
    version: Version, locked: Lock, path: str, shape: tuple[int, int]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    content = version.output(locked, path)
    try:
        if hashlib.md5(content).hexdigest() != belonging.locked_md5(locked, path):
            raise ValueError
        answers = np.load(io.BytesIO(content))[-1].astype(np.float64)
        if answers.shape != shape:
            raise ValueError
    except (ValueError, LookupError, EOFError, AttributeError, TypeError):
        raise InputError(
            f"{version.name}: {path}: damaged or altered; `dvc repro --force` makes it anew"
        ) from None
    return np.asarray(answers)
