"""Whether results are of the parameters, code and pictures that they stand beside.

After an experiment that ended early, an edited params.yaml or a change of branches they may not be.
dvc.lock says what made them.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from shallowdeep.commands import lock
from shallowdeep.commands.lock import Differing, Lock
from shallowdeep.files.errors import InputError
from shallowdeep.files.imports import imported, importing
from shallowdeep.files.yaml_file import parse
from shallowdeep.provenance.dvc_hash import md5 as md5_of

if TYPE_CHECKING:
    from dvc.repo import Repo

    from shallowdeep.training.model import Model

PARAMS, LOCK, METRICS, DATA = "params.yaml", "dvc.lock", "results/metrics.json", "data/prepared"
LAST = "evaluate"
SHOWN = 3  # parameters that a message names


class NotCachedError(InputError):
    """What a revision's networks said is not in DVC's cache."""


class Version(NamedTuple):
    """The project at a git revision, or as it lies in the workspace."""

    name: str
    tracked: Callable[[str], bytes]  # reads a file that git tracks
    repo: "Repo"

    def output(self, locked: Lock, path: str) -> bytes:
        """A stage's output, or a file within it, as dvc.lock says that it was.

        Raises:
            NotCachedError: it is not in DVC's cache.
        """
        from dvc.scm import NoSCM

        hash_ = locked_md5(locked, path)
        here = Path(path)
        if hash_ is not None and here.is_file() and md5_of(here) == hash_:
            return here.read_bytes()
        try:
            if hash_ is None:
                folder = str(here.parent)
                listed = json.loads(self._cached(locked_md5(locked, folder) or ""))
                hash_ = next(one["md5"] for one in listed if one["relpath"] == here.name)
            return self._cached(hash_)
        except (OSError, ValueError, LookupError, TypeError, StopIteration):
            remote = not isinstance(self.repo.scm, NoSCM) and bool(self.repo.config["remote"])
            brings = "`dvc fetch --all-commits` brings it" if remote else self._made
            raise NotCachedError(
                f"{self.name}: DVC's cache has no {path} of it; {brings}"
            ) from None

    @property
    def _made(self) -> str:
        if self.name == "workspace":
            return "`dvc repro --force` makes it"
        return f"`git checkout {self.name}` and `dvc repro` make it"

    def _cached(self, hash_: str) -> bytes:
        return Path(self.repo.cache.local.oid_to_path(hash_)).read_bytes()


def locked_md5(locked: Lock, path: str) -> str | None:
    """The hash of an output by dvc.lock; None where it is none by itself."""
    return next((one.outs[path].md5 for one in locked.stages.values() if path in one.outs), None)


def check_results(version: Version, locked: Lock, params: object) -> None:
    """Refuse the results of a version that are not of what it holds.

    Args:
        version: which one.
        locked: its dvc.lock.
        params: what its params.yaml holds.

    Raises:
        InputError: says which results these are, and what makes those that are wanted.
    """
    if LAST not in locked.stages:
        raise InputError(f"{version.name}: {LOCK} has no {LAST}; `dvc repro` makes results")
    makers = locked.makers(LAST)
    if other := locked.differing(makers, params):
        raise InputError(f"{version.name}: {_told(other)}")
    for stage, path in locked.outdated(makers):
        trained = _trained_with(version, locked.stages[stage].deps[path].md5, path, params)
        told = _told(trained) if trained else f"{stage} has not seen the new {path}"
        raise InputError(f"{version.name}: {told}{'' if trained else '; `dvc repro` runs it'}")
    wrote = locked.stages[LAST].outs.get(METRICS)
    if wrote and hashlib.md5(version.tracked(METRICS)).hexdigest() != wrote.md5:
        raise InputError(
            f"{version.name}: {METRICS} is not what {LAST} wrote; `dvc repro` makes it anew"
        )
    read = locked.stages[LAST].deps.get(PARAMS)
    if read and hashlib.md5(version.tracked(PARAMS)).hexdigest() != read.md5:
        raise InputError(
            f"{version.name}: {PARAMS} was edited after {LAST} had read it; `dvc repro` makes"
            " results of it"
        )
    if version.name == "workspace":
        _check_files(version.repo, makers)


def check_model(path: Path) -> None:
    """Refuse a model of a project that is not the one that its dvc.lock and params.yaml mean.

    A file that no project's dvc.lock names is what it is.

    Args:
        path: of a model file.

    Raises:
        InputError: says which model it is, and what makes the one that is wanted.
    """
    file = path.absolute()
    root = next((one for one in file.parents if (one / LOCK).is_file()), None)
    if root is None:
        return
    name = file.relative_to(root).as_posix()
    locked = lock.locked(root / LOCK)
    stage = next((one for one, of in locked.stages.items() if name in of.outs), None)
    if stage is None or not file.is_file():  # whoever reads it says that it is not there
        return
    if md5_of(file) != locked.stages[stage].outs[name].md5:
        raise InputError(f"{path}: is not the one that {LOCK} names; `dvc checkout` brings it back")
    makers = locked.makers(stage)
    if other := locked.differing(makers, parse(root / PARAMS)):
        raise InputError(f"{path}: {_told(other)}")
    for _, changed in locked.outdated(makers):
        raise InputError(f"{path}: was trained on another {changed}; `dvc repro` trains it anew")
    for folder, dep in locked.stages[stage].deps.items():
        if folder.startswith(("src/", "stages/")) and md5_of(root / folder) != dep.md5:
            raise InputError(f"{path}: was trained by another {folder}; `dvc repro` trains it anew")


def read_model(path: Path) -> "Model":
    """A model that `check_model` lets pass; only then is torch imported, which takes a second."""
    check_model(path)
    importing()
    from shallowdeep.training import model

    imported()
    return model.read(path)


def _check_files(repo: "Repo", stages: list[str]) -> None:
    """Refuse what DVC itself calls changed: code, pictures, outputs."""
    for stage, changes in repo.status(targets=stages).items():
        for change in changes:
            if not isinstance(change, dict):
                raise InputError(f"workspace: the command of {stage} has changed; `dvc repro`")
            for path, how in change.get("changed deps", {}).items():
                raise InputError(
                    f"workspace: these results are of another {path} ({how}); `dvc repro` makes"
                    " those of this one"
                )
            for path, how in change.get("changed outs", {}).items():
                raise InputError(
                    f"workspace: {path} is not the one that {LOCK} names ({how}); `dvc checkout`"
                    " brings it back, or `dvc repro` makes it"
                )


def _trained_with(version: Version, md5_read: str, path: str, params: object) -> list[Differing]:
    """How the model that was evaluated differs from the one that there is now, if it is found."""
    if not path.endswith(".pt"):
        return []
    from shallowdeep.settings.params import from_content
    from shallowdeep.training import model
    from shallowdeep.training.made import parameters

    try:
        old = model.read(Path(version.repo.cache.local.oid_to_path(md5_read)))
    except InputError:
        return []
    had, name = old.made.parameters, Path(path).stem
    has = parameters(from_content(params, PARAMS), name)
    return [
        Differing(
            key if key not in ("epochs", "hidden") else f"models.{name}.{key}",
            had.get(key),
            has[key],
        )
        for key in has
        if had.get(key) != has[key]
    ]


def _told(differing: list[Differing]) -> str:
    """Which results these are, and what makes the others."""
    shown = differing[:SHOWN]
    more = f" and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
    had = ", ".join(f"{one.key} {one.had}" for one in shown)
    has = ", ".join(str(one.has) for one in shown)
    return f"these results are of {had}{more}; `dvc repro` makes those of {has}"
