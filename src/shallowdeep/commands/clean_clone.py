"""A clone of HEAD in a folder of its own, and a run of all its stages from nothing."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse

LOCKS = ("dvc.lock", "data/dvc.lock")  # of the pipeline, and of the data sets


def project_folder() -> Path:
    """The project that the current folder lies in.

    Raises:
        InputError: there is none, or it has no lock.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".dvc").is_dir() and (folder / "dvc.yaml").exists():
            if not (folder / LOCKS[0]).exists():
                raise InputError(f"there is no {LOCKS[0]}; `make repro` makes it, then commit it")
            return folder
    raise InputError("there is no dvc.yaml here; run it in the project")


class Head:
    """The commit that is checked out in a project, which may be a subfolder or a worktree.

    Attributes:
        environment: of processes in its clones.
        commit: its hash.
        date: of the commit, ISO 8601.
        uncommitted: tracked files that differ from it or are absent, and those that may, since
            git was told not to look at them.
    """

    def __init__(self, root: Path, scratch: Path) -> None:
        """Look at a project; `scratch` is a folder for git's configuration.

        Raises:
            InputError: git fails, or the commit holds compiled code, which DVC does not hash, or a
                submodule, whose files it does not have.
        """
        self.environment = _environment(scratch)
        self._top, self._inside, self.commit = (
            self._git(root, "rev-parse", question).strip()
            for question in ("--show-toplevel", "--show-prefix", "HEAD")
        )
        self.date = self._git(root, "show", "--no-patch", "--format=%cI", self.commit).strip()
        for entry in self._git(root, "ls-tree", "-r", "-z", self.commit).split("\0")[:-1]:
            about, _, name = entry.partition("\t")
            if about.startswith("160000"):
                raise InputError(f"{name}: is a submodule; the commit does not have its files")
            if name.endswith((".pyc", ".pyo")) or "__pycache__" in name.split("/"):
                raise InputError(f"{name}: is compiled code, which nobody checks; `git rm` it")
        self.uncommitted = self.changes(root)
        for entry in self._git(root, "ls-files", "-v", "-z").split("\0")[:-1]:
            tag, _, name = entry.partition(" ")
            if tag == "S" or tag.islower():
                self.uncommitted.append(f"{name} (hidden from git)")

    def changes(self, folder: Path) -> list[str]:
        """Tracked files below a folder that are not as in the commit."""
        options = ("--name-only", "-z", "--relative", "--ignore-submodules=none", "--no-ext-diff")
        return self._git(folder, "diff", *options, self.commit, "--", ".").split("\0")[:-1]

    def file(self, folder: Path, name: str) -> bytes:
        """Content of a file in the commit, by its name as seen from a folder of a clone."""
        return self._output(folder, "show", f"{self.commit}:./{name}")

    def clone(self, folder: Path) -> Path:
        """Clone it into a new folder; returns the project's folder in it."""
        options = ("--quiet", "--no-checkout", "--template=", "--", self._top, str(folder))
        self._git(Path(self._top), "clone", *options)
        self._git(folder, "checkout", "--quiet", "--detach", self.commit)
        return folder / self._inside

    def _git(self, folder: Path, *arguments: str) -> str:
        return os.fsdecode(self._output(folder, *arguments))

    def _output(self, folder: Path, *arguments: str) -> bytes:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, check=False, env=self.environment)
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            problem = lines[0] if lines else f"exit status {done.returncode}"
            raise InputError(f"git {arguments[0]}: {problem}")
        return done.stdout


def _environment(scratch: Path) -> dict[str, str]:
    """This environment without what git hands to hooks, and with trust in another's checkout.

    Git takes that trust from a configuration file only, and hands it on to the other git that a
    clone is made from. Python looks for compiled code in an empty folder.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    mine = os.environ.get("GIT_CONFIG_GLOBAL") or str(Path.home() / ".gitconfig")
    config = scratch / "gitconfig"
    path = json.dumps(mine, ensure_ascii=False)  # git's quotes and escapes are those of JSON
    config.write_text(f"[include]\n\tpath = {path}\n[safe]\n\tdirectory = *\n")
    return kept | {
        "GIT_CONFIG_GLOBAL": str(config),
        "PYTHONPYCACHEPREFIX": str(scratch / "compiled"),
    }


def randomized(seed: int) -> tuple[dict[str, str], int, str]:
    """Draw what must not matter: environment, umask and name of the folder."""
    draw = random.Random(seed)
    threads = str(draw.choice([1, 2, 3, 8]))
    change = {
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONHASHSEED": str(draw.randrange(1, 2**32)),
        "LC_ALL": draw.choice(["C", "C.UTF-8", "POSIX"]),
        "TZ": draw.choice(["UTC", "Asia/Kathmandu", "America/St_Johns"]),
        "ATEN_CPU_CAPABILITY": draw.choice(["default", "avx2"]),
        "MKL_ENABLE_INSTRUCTIONS": draw.choice(["SSE4_2", "AVX2"]),
        "OPENBLAS_CORETYPE": draw.choice(["Nehalem", "Sandybridge", "Haswell"]),
        "JSIMD_FORCENONE": draw.choice(["0", "1"]),
    }
    return change, draw.choice([0o002, 0o022, 0o077]), draw.choice(["a b", "größe", "x" * 60])


def read_locks(project: Path) -> dict[str, dict[str, Any]]:
    """Content of the lock files that there are, as DVC takes it.

    Raises:
        InputError: it is no lock file of DVC.
    """
    import voluptuous
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA

    try:
        return {
            lock: COMPILED_LOCKFILE_SCHEMA(parse(project / lock))
            for lock in LOCKS
            if (project / lock).exists()
        }
    except voluptuous.Error:
        raise InputError("dvc.lock: not as DVC writes it; `dvc repro` makes it anew") from None


def rerun(
    project: Path, environment: Mapping[str, str], *, cache: str, seed: int | None
) -> dict[str, str]:
    """Run all stages that a fresh clone's lock files name.

    Args:
        project: the project's folder in the clone.
        environment: that of `Head`.
        cache: DVC's, for pictures that `dvc add` or `dvc import-url` keeps there.
        seed: of the variation; None to vary nothing.

    Returns:
        What was varied.
    """
    from dvc.utils.serialize import dump_yaml

    data_sets = []
    for lock, content in read_locks(project).items():
        for name, stage in content.get("stages", {}).items():
            for out in stage.get("outs", []):
                _remove((project / lock).parent / out["path"])
            content["stages"][name] = {"cmd": ""}  # whatever DVC does not run stays like this
            if lock == LOCKS[1]:
                data_sets.append(f"data/dvc.yaml:{name}")
        dump_yaml(project / lock, content)
    _borrow_pictures(project, environment, cache)
    (project / ".venv").symlink_to(Path(sys.prefix))
    change, umask, _ = randomized(seed) if seed is not None else ({}, -1, "")
    environment = {**environment, **change}
    repro = ("repro", "--no-run-cache")
    folder = parse(project / "params.yaml")["data"]["dir"]
    if seed is not None and folder == "data/sample":
        _dvc([*repro, "data/dvc.yaml:sample"], project, environment, umask)
        _shuffle(project / folder, seed)
        change["order of the files"] = "shuffled"
    _dvc([*repro, "dvc.yaml", *data_sets], project, environment, umask)
    return change | ({"umask": oct(umask)} if seed is not None else {})


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _borrow_pictures(project: Path, environment: Mapping[str, str], cache: str) -> None:
    """Copy what .dvc files name out of the cache, which no stage gets to see."""
    named = [str(path.relative_to(project)) for path in project.glob("data/*.dvc")]
    if named:
        link = project / ".dvc/cache"
        link.symlink_to(cache)
        _dvc(["--quiet", "checkout", *named], project, environment, -1)
        link.unlink()


def _dvc(arguments: list[str], folder: Path, environment: Mapping[str, str], umask: int) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "dvc", *arguments],
        cwd=folder,
        env=environment,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        problem = " ".join((done.stdout + done.stderr).rpartition("ERROR: ")[2].split())
        raise InputError(f"the run in the clone failed: {problem or done.returncode}")


def _shuffle(folder: Path, seed: int) -> None:
    """Write the files of a folder again, in another order and with other times."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    contents = [(path, path.read_bytes()) for path in files]
    random.Random(seed).shuffle(contents)
    for path in files:
        path.chmod(0o644)
        path.unlink()
    for number, (path, content) in enumerate(contents):
        path.write_bytes(content)
        os.utime(path, (number, number))
