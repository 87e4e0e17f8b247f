"""Results of a git revision, an experiment of DVC or the workspace, if they are not stale."""

import argparse
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shallowdeep.commands import stale
from shallowdeep.evaluation.change import ExperimentPredictions
from shallowdeep.evaluation.intervals import Design
from shallowdeep.evaluation.verdict import QUESTION, VERDICTS
from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse_bytes
from shallowdeep.prepared.folds import fold, shared
from shallowdeep.prepared.prepared_set import read_manifest
from shallowdeep.provenance.experiment_count import METRICS, count_experiments
from shallowdeep.settings import params
from shallowdeep.settings.params import Params
from shallowdeep.trained import predictions

if TYPE_CHECKING:
    from dvc.output import Output
    from dvc.repo import Repo
    from dvc.stage import PipelineStage

WORKSPACE = "workspace"
PARAMS, LOCK = "params.yaml", "dvc.lock"
MANIFEST = "data/prepared/manifest.csv"
LAST = "evaluate"


class NotCachedError(InputError):
    """DVC's cache lacks the predictions of a revision's networks."""


class Experiment(NamedTuple):
    """An experiment with results of its own parameters, code and pictures."""

    name: str
    params: Params
    verdict: str
    numbers: Mapping[str, float]  # of metrics.json, by their names in `dvc metrics diff`
    predictions: ExperimentPredictions | None  # None where they were not asked for
    experiments: int  # on its pictures in this checkout


def numbers(content: Mapping[str, object]) -> dict[str, float]:
    """All finite numbers of a metrics file, by their names in `dvc metrics diff`: keys and dots."""
    from dvc.utils.flatten import flatten

    found: dict[str, object] = flatten(content)
    return {
        name: float(number)
        for name, number in found.items()
        if isinstance(number, int | float) and not isinstance(number, bool)
        if math.isfinite(number)
    }


def parser_of_two(command: str, doc: str, metavars: tuple[str, str]) -> argparse.ArgumentParser:
    """Options of a command that compares an experiment `before` with another `after`.

    Args:
        command: its name.
        doc: of its module; the first line is the description.
        metavars: names of both in the help.
    """
    about, _, how = doc.partition("\n")
    options = argparse.ArgumentParser(f"shallowdeep {command}", description=about, epilog=how)
    options.add_argument("before", nargs="?", default="HEAD", metavar=metavars[0])
    options.add_argument("after", nargs="?", default=WORKSPACE, metavar=metavars[1])
    options.add_argument("--md", action="store_true", help="print Markdown, for a pull request")
    return options


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
    with opened() as repo:
        return [_read(repo, one, with_predictions=predictions) for one in revisions]


@contextmanager
def opened() -> Iterator["Repo"]:
    """Open DVC's repository in the current folder.

    Raises:
        InputError: this is not the project's folder, or DVC or git fails in the body.
    """
    if not Path("dvc.yaml").exists():
        raise InputError("there is no dvc.yaml here; run it at the top of the project")
    from dvc.exceptions import DvcException  # takes a second
    from dvc.repo import Repo
    from pygit2 import GitError
    from scmrepo.exceptions import SCMError

    try:
        with Repo() as repo:
            yield repo
    except (DvcException, GitError, SCMError) as error:
        raise InputError(re.sub("\x1b\\[[0-9;]*m", "", str(error))) from None


def _read(repo: "Repo", revision: str, *, with_predictions: bool) -> Experiment:
    with at_revision(repo, revision):
        content = parse_bytes(text_of(repo, revision, PARAMS), f"{revision}: {PARAMS}")
        settings = params.from_content(content, f"{revision}: {PARAMS}")
        for file in (LOCK, METRICS):
            text_of(repo, revision, file)  # with our message, before DVC looks for them
        check_current(repo, revision, content)
        try:
            found = json.loads(text_of(repo, revision, METRICS))
            verdict, count = found["verdict"], count_experiments(repo, found, QUESTION)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            verdict = None
        if verdict not in VERDICTS:
            raise InputError(f"{revision}: {METRICS} is not of this project")
        known = _predictions(repo, revision, settings) if with_predictions else None
        return Experiment(revision, settings, verdict, numbers(found), known, count)


@contextmanager
def at_revision(repo: "Repo", revision: str) -> Iterator[None]:
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


def text_of(repo: "Repo", revision: str, path: str) -> bytes:
    """Content of a file of the revision that DVC sees."""
    try:
        return bytes(repo.fs.cat_file(repo.fs.join(repo.root_dir, path)))
    except OSError:
        raise _stale(repo, revision, f"has no {path}") from None


def _stale(repo: "Repo", revision: str, problem: str) -> InputError:
    commands = _commands(repo, revision)
    return InputError(f"{revision}: {problem}; to make results anew: {commands}")


def _commands(repo: "Repo", revision: str, *, cached: bool = True) -> str:
    """Commands that make the results of a revision, whatever the workspace holds now.

    Args:
        repo: DVC's.
        revision: one that git or DVC knows.
        cached: False if results are only missing in DVC's cache; a remote may have them.
    """
    if revision == WORKSPACE:
        return "`dvc repro`"
    from scmrepo.exceptions import RevError

    try:
        repo.scm.resolve_rev(revision)
        back, pull = f"`git stash`, `git checkout {revision}`", "`dvc fetch --all-commits`"
    except RevError:
        back = f"`dvc exp apply {revision}`"
        pull = f"{back}, `dvc pull`"
    pushed = "" if cached or not repo.config["remote"] else f"{pull} if it was pushed, else "
    return f"{pushed}{back}, `dvc repro`"


def check_current(repo: "Repo", revision: str, content: Mapping[str, object]) -> None:
    """Refuse stale results of the revision that DVC sees.

    After an experiment that ended early, an edited params.yaml or a change of branches, results may
    be of other parameters, code or pictures than dvc.lock has. Code and pictures are compared in
    the workspace only.

    Args:
        repo: DVC's.
        revision: its name.
        content: of its params.yaml.

    Raises:
        InputError: names what has changed, and the command that makes the results wanted.
    """
    stages = [one for one in repo.index.stages if one.path_in_repo == "dvc.yaml"]
    last = next((one for one in stages if one.name == LAST), None)
    if last is None or not all(out.hash_info for out in last.outs):
        raise _stale(repo, revision, f"{LOCK} has no {LAST}")
    for dep in [dep for stage in stages for dep in stage.params]:  # DVC has parsed the lock
        if other := stale.differences(dep.hash_info.value or {}, content):
            raise _stale(repo, revision, other)
    changes = _changed_files(repo, stages) if revision == WORKSPACE else _changed(repo, stages)
    for problem in changes:
        raise _stale(repo, revision, problem)


def _changed_files(repo: "Repo", stages: Sequence["PipelineStage"]) -> Iterator[str]:
    """Code, pictures and outputs of the workspace that DVC calls changed."""
    cached = {str(out) for stage in stages for out in stage.outs if out.use_cache}
    for stage, changes in repo.status(targets=[one.addressing for one in stages]).items():
        for change in changes:
            if not isinstance(change, dict):
                yield f"the command of {stage} has changed"
            for path, kind in change.get("changed deps", {}).items():
                yield f"these results are of another {path} ({kind})"
            for path, kind in change.get("changed outs", {}).items():
                back = f"; `dvc checkout --force {path}` brings it back" if path in cached else ""
                yield f"{path} is not what {stage} wrote ({kind}){back}"


def _changed(repo: "Repo", stages: Sequence["PipelineStage"]) -> Iterator[str]:
    """Files of a commit that stages have read or written otherwise, but for code and pictures."""
    outputs = [out.fs_path for stage in stages for out in stage.outs]
    outputs.append(repo.fs.join(repo.root_dir, PARAMS))
    for stage in stages:
        for dep in [dep for dep in stage.deps if dep not in stage.params]:
            if any(f"{path}/".startswith(f"{dep.fs_path}/") for path in outputs) and not _same(dep):
                yield f"these results are of another {dep}"
        for out in stage.outs:
            if not _same(out):
                yield f"{out} is not what {stage.name} wrote"


def _same(file: "Output") -> bool:
    """True if a file or folder of a commit has the hash that dvc.lock gives it.

    The hash of what is in DVC's cache is in dvc.lock itself; the cache is not read.
    """
    from dvc_data.hashfile.build import build

    fs = file.repo.dvcfs
    path = fs.from_os_path(file.fs_path)
    try:
        md5 = fs.info(path).get("md5")
        if md5 is None:
            md5 = build(file.repo.cache.local, path, fs, "md5", dry_run=True)[2].hash_info.value
    except OSError:
        return False
    return bool(md5 == file.hash_info.value)


def _predictions(repo: "Repo", revision: str, settings: Params) -> ExperimentPredictions:
    """Probabilities that the networks give to the pictures that were tested."""
    try:
        with _output(repo, revision, MANIFEST).open("rb") as file:
            manifest = read_manifest(file)
    except (ValueError, LookupError):
        raise InputError(f"{revision}: {MANIFEST} is not of this project") from None
    parts = manifest["fold"].to_numpy(np.int64)
    tested = np.flatnonzero(parts < settings.folds)
    labels, train = manifest["label"].to_numpy(np.int64), fold(parts, 0, folds=settings.folds).train
    trained = shared(train, labels, settings.share, seed=settings.seed, number=0)
    groups = manifest["group"].to_numpy(np.int64)
    design = Design(labels[tested], parts[tested], len(trained), groups[tested])
    probabilities = {}
    for name, network in settings.networks.items():
        path = _output(repo, revision, f"models/{name}/{predictions.FILE}")
        folds, runs = settings.folds, settings.runs
        found = predictions.read(path, network, folds=folds, runs=runs, tested=len(tested))
        probabilities[name] = found.test[-1].astype(np.float64)
    pictures = manifest["sha256"].to_numpy(str)[tested]
    return ExperimentPredictions(pictures, design, settings.seed, probabilities)


def _output(repo: "Repo", revision: str, path: str) -> Path:
    """Path of an output's content: in the workspace, or for a revision in DVC's cache.

    Raises:
        NotCachedError: it is not in DVC's cache, or damaged there.
    """
    if revision == WORKSPACE:  # DVC has compared it with the lock
        return Path(path)
    target = repo.fs.join(repo.root_dir, path)
    outs = [one for one in repo.index.outs if f"{target}/".startswith(f"{one.fs_path}/")]
    if not outs:
        raise _stale(repo, revision, f"{LOCK} has no {path}")
    (out,) = outs
    file = _cached(repo, revision, path, out.hash_info.value)
    if target == out.fs_path:
        return file
    inside = "/".join(repo.fs.relparts(target, out.fs_path))
    listed = {entry["relpath"]: entry["md5"] for entry in json.loads(file.read_bytes())}
    return _cached(repo, revision, path, listed[inside])


def _cached(repo: "Repo", revision: str, path: str, md5: str) -> Path:
    """File of DVC's cache: an output, or the list of the files of an output."""
    from dvc_objects.errors import ObjectFormatError

    try:
        repo.cache.local.check(md5)
    except (FileNotFoundError, ObjectFormatError):  # DVC removes a damaged file
        commands = _commands(repo, revision, cached=False)
        raise NotCachedError(
            f"{revision}: DVC's cache has no {path} of it; to bring it: {commands}"
        ) from None
    return Path(repo.cache.local.oid_to_path(md5))
