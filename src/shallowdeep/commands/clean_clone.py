"""A clone of HEAD in a folder of its own, and a run of all its stages from nothing."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from shallowdeep.commands.lock import LOCKS, locked
from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse
from shallowdeep.provenance.declared import declared_stages


def git_environment(scratch: Path) -> dict[str, str]:
    """This environment without what git hands to hooks, and with trust in another's checkout.

    Git takes that trust from a configuration file only, and hands it on to the other git that a
    clone is made from.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    mine = os.environ.get("GIT_CONFIG_GLOBAL") or str(Path.home() / ".gitconfig")
    config = scratch / "gitconfig"
    config.write_text(f"[include]\n\tpath = {_quoted(mine)}\n[safe]\n\tdirectory = *\n")
    return kept | {"GIT_CONFIG_GLOBAL": str(config)}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Head:
    """The commit that is checked out where a project lies, which may be a subfolder or worktree."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self.environment = git_environment(scratch)
        self._top, self._inside, self.commit = (
            self._git(root, "rev-parse", question)
            for question in ("--show-toplevel", "--show-prefix", "HEAD")
        )
        self.date = self._git(root, "show", "--no-patch", "--format=%cI", self.commit)
        changed = self._git(root, "diff", "--name-only", "--relative", "HEAD", "--", ".")
        self.uncommitted = changed.splitlines()

    def clone(self, folder: Path) -> Path:
        """Clone it into a new folder; returns where the project lies in it."""
        options = ("--quiet", "--no-checkout", "--template=", "--", self._top, str(folder))
        self._git(Path(self._top), "clone", *options)
        self._git(folder, "checkout", "--quiet", "--detach", self.commit)
        return folder / self._inside

    def _git(self, folder: Path, *arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=self.environment
        )
        if done.returncode:
            said = done.stderr.strip().splitlines()[:1] or [f"exit status {done.returncode}"]
            raise InputError(f"git {arguments[0]}: {said[0]}")
        return done.stdout.strip()


def dvc_cache(root: Path) -> Path:
    """Where DVC keeps what this checkout's stages wrote."""
    from dvc.config import Config

    try:
        told = Config(dvc_dir=str(root / ".dvc"), validate=False)["cache"].get("dir")
    except Exception:  # whatever is wrong with it, DVC says when it runs
        told = None
    return Path(told) if told else root / ".dvc/cache"


def randomized(seed: int) -> tuple[dict[str, str], int, str]:
    """What must not matter: environment, umask and name of the folder."""
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


def rerun(
    project: Path, environment: Mapping[str, str], *, cache: Path, seed: int | None
) -> dict[str, str]:
    """Run all stages that a fresh clone's locks name; returns what was varied.

    Args:
        project: where the project lies in the clone.
        environment: that of `Head`.
        cache: DVC's, for pictures that `dvc add` or `dvc import-url` keeps there.
        seed: of what is varied; None where nothing is to be.
    """
    data_sets = [f"data/dvc.yaml:{name}" for name in locked(project / LOCKS[1]).stages]
    _take_away(project)
    _borrow_pictures(project, environment, cache)
    (project / ".venv").symlink_to(Path(sys.prefix))
    change, umask, _ = randomized(seed) if seed is not None else ({}, -1, "")
    environment = {**environment, **change}
    command = [sys.executable, "-P", "-m", "dvc"]
    repro = [*command, "repro", "--no-run-cache"]
    folder = parse(project / "params.yaml")["data"]["dir"]
    if seed is not None and folder == "data/sample":
        _run([*repro, "data/dvc.yaml:sample"], project, environment, umask)
        _shuffle(project / folder, seed)
        change["order of the files"] = "shuffled"
    _run([*repro, "dvc.yaml", *data_sets], project, environment, umask)
    return change | ({"umask": oct(umask)} if seed is not None else {})


def _take_away(project: Path) -> None:
    """Locks and results: nothing committed may be taken for made anew."""
    outs = [
        (project / lock).parent / out
        for lock in LOCKS
        if (project / lock).with_name("dvc.yaml").exists()
        for stage in declared_stages((project / lock).parent).values()
        for out in stage.outs
    ]
    shutil.rmtree(project / "results", ignore_errors=True)
    for path in [*(project / lock for lock in LOCKS), *outs]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _borrow_pictures(project: Path, environment: Mapping[str, str], cache: Path) -> None:
    """Copy what .dvc files name out of the cache, which no stage gets to see."""
    named = [str(path.relative_to(project)) for path in project.glob("data/*.dvc")]
    if named:
        place = project / ".dvc/cache"
        place.symlink_to(cache)
        command = [sys.executable, "-P", "-m", "dvc", "--quiet", "checkout", *named]
        _run(command, project, environment, -1)
        place.unlink()


def _run(command: list[str], folder: Path, environment: Mapping[str, str], umask: int) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise InputError(f"the run in the clone failed: {lines[-1] if lines else done.returncode}")


def _shuffle(folder: Path, seed: int) -> None:
    """Make the files of a folder again, in another order and with other times."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    contents = [(path, path.read_bytes()) for path in files]
    random.Random(seed).shuffle(contents)
    for path in files:
        path.chmod(0o644)
        path.unlink()
    for number, (path, content) in enumerate(contents):
        path.write_bytes(content)
        os.utime(path, (number, number))
