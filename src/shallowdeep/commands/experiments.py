"""Results of a git revision, an experiment of DVC or the workspace, if they are not stale."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shallowdeep.commands import stale
from shallowdeep.evaluation import metrics
from shallowdeep.evaluation.change import ExperimentPredictions
from shallowdeep.evaluation.intervals import Design
from shallowdeep.evaluation.metrics import Metrics
from shallowdeep.evaluation.verdict import QUESTION
from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse_bytes
from shallowdeep.prepared.folds import fold
from shallowdeep.prepared.prepared_set import read_manifest
from shallowdeep.provenance import experiment_count
from shallowdeep.settings import params
from shallowdeep.settings.params import Params
from shallowdeep.trained import predictions

if TYPE_CHECKING:
    from dvc.repo import Repo

WORKSPACE = "workspace"
PARAMS, LOCK, METRICS = "params.yaml", "dvc.lock", "results/metrics.json"
MANIFEST = "data/prepared/manifest.csv"
LAST = "evaluate"


class NotCachedError(InputError):
    """DVC's cache lacks the predictions of a revision's networks."""


class Experiment(NamedTuple):
    """An experiment whose results are of its parameters, code and pictures."""

    name: str
    params: Params
    metrics: Metrics
    numbers: Mapping[str, float]  # of metrics.json, by their names in `dvc metrics diff`
    predictions: ExperimentPredictions | None  # None where they were not asked for
    experiments: int  # on its pictures in this checkout


def numbers(content: object, prefix: str = "") -> dict[str, float]:
    """All finite numbers of a metrics file, by their names in `dvc metrics diff`: keys and dots."""
    if isinstance(content, Mapping):
        return {
            name: number
            for key, value in content.items()
            for name, number in numbers(value, f"{prefix}.{key}" if prefix else str(key)).items()
        }
    if isinstance(content, bool) or not isinstance(content, int | float):
        return {}
    return {prefix: float(content)} if math.isfinite(content) else {}


def read(revisions: Sequence[str], *, predictions: bool) -> list[Experiment]:
    """Read experiments; refuse stale results.

    Args:
        revisions: of git, names of experiments of DVC, or `workspace`.
        predictions: True to read those of the networks too.

    Raises:
        InputError: no such revision, one without results of this project, or with results of other
            parameters, code or pictures; predictions that are not in DVC's cache; or this is not
            the project's folder.
    """
    if not Path("dvc.yaml").exists():
        raise InputError("there is no dvc.yaml here; run it at the top of the project")
    from dvc.exceptions import DvcException  # takes a second
    from dvc.repo import Repo
    from scmrepo.exceptions import SCMError

    try:
        with Repo() as repo:
            return [_read(repo, one, with_predictions=predictions) for one in revisions]
    except (DvcException, SCMError) as error:
        raise InputError(str(error)) from None


def _read(repo: "Repo", revision: str, *, with_predictions: bool) -> Experiment:
    with _at(repo, revision):
        content = parse_bytes(_text(repo, revision, PARAMS), f"{revision}: {PARAMS}")
        settings = params.from_content(content, f"{revision}: {PARAMS}")
        for file in (LOCK, METRICS):
            _text(repo, revision, file)  # with our message, before DVC looks for them
        check_current(repo, revision)
        try:
            found = json.loads(_text(repo, revision, METRICS))
            scores = metrics.parsed(found)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{revision}: {METRICS} is not of this project: {error}") from None
        return Experiment(
            revision,
            settings,
            scores,
            numbers(found),
            _predictions(repo, revision, settings) if with_predictions else None,
            experiment_count.count_experiments(repo, found, QUESTION),
        )


@contextmanager
def _at(repo: "Repo", revision: str) -> Iterator[None]:
    """Let DVC see the files of a revision."""
    if revision == WORKSPACE:
        yield
        return
    from dvc.scm import RevError, resolve_rev

    try:
        commit = repo.scm.resolve_commit(resolve_rev(repo.scm, revision)).hexsha
    except RevError as error:
        raise InputError(f"{revision}: {error}") from None
    except (AttributeError, ValueError):  # a file or folder of a commit, or not UTF-8
        raise InputError(f"{revision}: is no commit and no experiment") from None
    with repo.switch(commit):
        yield


def _text(repo: "Repo", revision: str, path: str) -> bytes:
    try:
        return bytes(repo.fs.cat_file(repo.fs.join(repo.root_dir, path)))
    except OSError:
        raise InputError(f"{revision}: has no {path}; `dvc repro` makes results") from None


def check_current(repo: "Repo", revision: str) -> None:
    """Refuse stale results of the revision that DVC sees.

    After an experiment that ended early, an edited params.yaml or a change of branches, results may
    be of other parameters, code or pictures; dvc.lock has those that they are of.

    Raises:
        InputError: names what has changed, and the command that makes the results wanted.
    """
    stages = [one for one in repo.index.stages if one.path_in_repo == "dvc.yaml"]
    last = next((one for one in stages if one.name == LAST), None)
    if last is None or not all(out.hash_info for out in last.outs):
        raise InputError(f"{revision}: {LOCK} has no {LAST}; `dvc repro` makes results")
    other = {}
    for dep in [dep for stage in stages for dep in stage.params]:
        now = dep.read_params()
        for key, had in (dep.hash_info.value or {}).items():
            other.update(stale.differences(key, had, now.get(key)))
    if other:
        raise InputError(f"{revision}: {stale.message(other)}")
    outs = {out.fs_path: out.hash_info.value for one in stages for out in one.outs}
    for stage in stages:
        for dep in stage.deps:
            if (now := _written(dep.fs_path, outs)) and now != dep.hash_info.value:
                raise InputError(
                    f"{revision}: {stage.name} has not seen the new {dep.def_path}; `dvc repro`"
                    " runs it"
                )
    hashes = {one.def_path: one.hash_info.value for one in (*last.deps, *last.outs)}
    for path, problem in (
        (METRICS, f"is not what {LAST} wrote; `dvc repro` makes it anew"),
        (PARAMS, f"was edited after {LAST} had read it; `dvc repro` makes results of it"),
    ):
        if hashlib.md5(_text(repo, revision, path)).hexdigest() != hashes.get(path):
            raise InputError(f"{revision}: {path} {problem}")
    if revision == WORKSPACE:
        _check_files(repo, [one.addressing for one in stages])


def _written(path: str, outs: Mapping[str, str | None]) -> str | None:
    """Hash of the output, or of the folder of outputs, at a path; None where no stage writes it."""
    if path in outs:
        return outs[path]
    below = {name: md5 for name, md5 in outs.items() if name.startswith(f"{path}/")}
    if not below:
        return None
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    tree = Tree()  # type: ignore[no-untyped-call]
    for name, md5 in below.items():
        tree.add(tuple(name.removeprefix(f"{path}/").split("/")), None, HashInfo("md5", md5))
    tree.digest()
    return str(tree.hash_info.value)


def _check_files(repo: "Repo", stages: list[str]) -> None:
    """Refuse code, pictures and outputs of the workspace that DVC calls changed."""
    for stage, changes in repo.status(targets=stages).items():
        for change in changes:
            if not isinstance(change, dict):
                raise InputError(f"workspace: the command of {stage} has changed; `dvc repro`")
            for path, kind in change.get("changed deps", {}).items():
                raise InputError(
                    f"workspace: these results are of another {path} ({kind}); `dvc repro` makes"
                    " those of this one"
                )
            for path, kind in change.get("changed outs", {}).items():
                raise InputError(
                    f"workspace: {path} is not the one that {LOCK} names ({kind}); `dvc checkout`"
                    " brings it back, or `dvc repro` makes it"
                )


def _predictions(repo: "Repo", revision: str, settings: Params) -> ExperimentPredictions:
    """Probabilities that the networks give to the pictures that were tested."""
    try:
        with _output(repo, revision, MANIFEST).open("rb") as file:
            manifest = read_manifest(file)
    except (ValueError, LookupError):
        raise _damaged(revision, MANIFEST) from None
    parts = manifest["fold"].to_numpy(np.int64)
    tested = np.flatnonzero(parts < settings.folds)
    design = Design(
        manifest["label"].to_numpy(np.int64)[tested],
        parts[tested],
        len(fold(parts, 0, folds=settings.folds).train),
    )
    probabilities = {}
    for name, network in settings.networks.items():
        path = f"models/{name}/{predictions.FILE}"
        cached = _output(repo, revision, path)
        try:
            found = predictions.read(
                cached, epochs=network.epochs, runs=settings.runs, tested=len(tested)
            )
        except InputError:
            raise _damaged(revision, path) from None
        probabilities[name] = found.test[-1].astype(np.float64)
    pictures = manifest["sha256"].to_numpy(str)[tested]
    return ExperimentPredictions(pictures, design, settings.seed, probabilities)


def _output(repo: "Repo", revision: str, path: str) -> Path:
    """Path of an output's content: in the workspace, or for a revision in DVC's cache.

    Raises:
        NotCachedError: it is not in DVC's cache.
        InputError: it is there, with another content.
    """
    if revision == WORKSPACE:  # DVC has compared it with the lock
        return Path(path)
    from dvc.scm import NoSCM
    from dvc_objects.errors import ObjectFormatError

    target = repo.fs.join(repo.root_dir, path)
    try:
        (out,) = (one for one in repo.index.outs if f"{target}/".startswith(f"{one.fs_path}/"))
        found = out.hash_info
        if found.isdir:
            found = out.get_obj().get(repo.fs.relparts(target, out.fs_path))[1]
        file = Path(repo.cache.local.oid_to_path(found.value))
        md5 = hashlib.md5(file.read_bytes()).hexdigest()
    except (OSError, ValueError, LookupError, AttributeError, ObjectFormatError):
        remote = not isinstance(repo.scm, NoSCM) and bool(repo.config["remote"])
        brings = f"`git checkout {revision}` and `dvc repro` make it"
        brings = "`dvc fetch --all-commits` brings it" if remote else brings
        raise NotCachedError(f"{revision}: DVC's cache has no {path} of it; {brings}") from None
    if md5 != found.value:
        raise _damaged(revision, path)
    return file


def _damaged(revision: str, path: str) -> InputError:
    return InputError(f"{revision}: {path}: damaged or altered; `dvc repro --force` makes it anew")
