"""The project as a fresh clone, and commands run in it as a user would."""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from dvc.repo import Repo

ROOT = Path(__file__).parent.parent


def run(folder: Path, *command: str, status: int | None = 0) -> str:
    """Run a command in a folder, as a user would after activating .venv; return what it printed.

    With `status` None it must fail, in whatever way.
    """
    with start(folder, *command) as process:
        try:
            printed, _ = process.communicate(timeout=600)
        except BaseException:
            process.kill()
            raise
    found = process.returncode
    assert (found == status) if status is not None else found, printed
    return printed


def start(folder: Path, *command: str, env=None, **options) -> subprocess.Popen[str]:
    """Start a command as `run` does; `env` holds further variables."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["MYPY_CACHE_DIR"] = str(ROOT / ".mypy_cache")  # 20 s where the code is the same
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    environment |= env or {}
    return subprocess.Popen(command, cwd=folder, env=environment, **streams | options)


def has_loaded(process: int, library: str = "libtorch_cpu") -> bool:
    """Whether a process has loaded a library: it has begun to import."""
    return library in Path(f"/proc/{process}/maps").read_text()


def clone(folder: Path) -> Path:
    """The project's files as they are now, in a git repository of their own."""
    listed = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    run(folder, "git", "init", "--quiet", "--initial-branch", "main")
    run(folder, "git", "config", "user.name", "Tester")
    run(folder, "git", "config", "user.email", "tester@example.org")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", "state")


def changed_stages(folder: Path) -> set[str]:
    """The stages that DVC would run, asked in this process: that takes a second less than `run`."""
    names = ("prepare", "train-shallow", "train-deep", "evaluate")
    with contextlib.chdir(folder), Repo(str(folder)) as repo:  # paths are relative to it
        return set(names) & set(repo.status(targets=list(names)))


def with_environment(project: Path) -> Path:
    """Lend a project the checkout's .venv, so that make does not have to install another."""
    (project / ".venv").symlink_to(ROOT / ".venv")
    return project
