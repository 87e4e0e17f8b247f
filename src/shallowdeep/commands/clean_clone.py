"""A clone of HEAD in a folder of its own."""

import os
import subprocess
from pathlib import Path

from shallowdeep.files.checkout import project_root
from shallowdeep.files.errors import InputError


def project_folder() -> Path:
    """The project that the current folder lies in.

    Raises:
        InputError: there is none, or it has no lock.
    """
    root = project_root()
    if not ((root / ".dvc").is_dir() and (root / "dvc.yaml").exists()):
        raise InputError("there is no dvc.yaml here; run it in the project")
    if not (root / "dvc.lock").exists():
        raise InputError("there is no dvc.lock; `make repro` makes it, then commit it")
    return root


def clean_environment() -> dict[str, str]:
    """This environment without what git tells a hook, which would hold for a clone too."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


def git(folder: Path, *arguments: str) -> str:
    """Output of a command of git, without the line break at its end.

    Raises:
        InputError: git fails.
    """
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, check=False, env=clean_environment())
    if done.returncode:
        problem = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise InputError(f"git {arguments[0]}: {problem or f'exit status {done.returncode}'}")
    return os.fsdecode(done.stdout).removesuffix("\n")


def changed_files(folder: Path) -> list[str]:
    """Tracked files below a folder that differ from HEAD or are absent."""
    return git(folder, "diff", "--name-only", "-z", "--relative", "HEAD", "--", ".").split("\0")[
        :-1
    ]


def clone(root: Path, folder: Path) -> Path:
    """Clone a project, which may be a subfolder or a worktree; returns its folder in the clone."""
    top, inside, commit = (
        git(root, "rev-parse", question)
        for question in ("--show-toplevel", "--show-prefix", "HEAD")
    )
    git(Path(top), "clone", "--quiet", "--no-checkout", "--template=", "--", top, str(folder))
    git(folder, "checkout", "--quiet", "--detach", commit)
    return folder / inside
