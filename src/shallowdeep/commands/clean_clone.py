"""A clone of HEAD in a folder of its own."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from shallowdeep.files.checkout import project_root
from shallowdeep.files.errors import InputError


def project_folder() -> Path:
    """The project that the current folder belongs to.

    Raises:
        InputError: there is none, or it has no lock.
    """
    root = project_root()
    if not ((root / ".dvc").is_dir() and (root / "dvc.yaml").exists()):
        raise InputError("there is no dvc.yaml here; run it in the project")
    if not (root / "dvc.lock").exists():
        raise InputError("there is no dvc.lock; `make repro` makes it, then commit it")
    return root


@cache
def _scratch() -> TemporaryDirectory[str]:
    """A folder that is removed with this process."""
    return TemporaryDirectory(prefix="shallowdeep-git-")


def clean_environment() -> dict[str, str]:
    """The environment without git's variables for hooks, and with trust in checkouts of others.

    Git takes that trust from a configuration file only, and passes it to the git process that a
    clone is made from. Python looks for compiled code in an empty folder, not beside the source.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    config = Path(_scratch().name, "gitconfig")
    if not config.exists():
        mine = os.environ.get("GIT_CONFIG_GLOBAL") or str(Path.home() / ".gitconfig")
        path = json.dumps(mine, ensure_ascii=False)  # git's quotes and escapes are those of JSON
        config.write_text(f"[include]\n\tpath = {path}\n[safe]\n\tdirectory = *\n")
    return kept | {
        "GIT_CONFIG_GLOBAL": str(config),
        "PYTHONPYCACHEPREFIX": str(config.with_name("compiled")),
    }


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
    """Tracked files below a folder that differ from HEAD or are absent, or that git hides."""
    options = ("--name-only", "-z", "--relative", "--ignore-submodules=none", "--no-ext-diff")
    changed = git(folder, "diff", *options, "HEAD", "--", ".").split("\0")[:-1]
    for entry in git(folder, "ls-files", "-v", "-z").split("\0")[:-1]:
        tag, _, name = entry.partition(" ")
        if tag == "S" or tag.islower():  # skip-worktree, assume-unchanged
            changed.append(f"{name} (hidden from git)")
    return changed


def check_commit(root: Path) -> None:
    """Refuse a commit with compiled code, which DVC does not hash, or with a submodule.

    Raises:
        InputError: it holds compiled code or a submodule.
    """
    top = Path(git(root, "rev-parse", "--show-toplevel"))
    for entry in git(top, "ls-tree", "-r", "-z", "HEAD").split("\0")[:-1]:
        about, _, name = entry.partition("\t")
        if about.startswith("160000"):
            raise InputError(f"{name}: is a submodule; the commit does not have its files")
        if name.endswith((".pyc", ".pyo")) or "__pycache__" in name.split("/"):
            raise InputError(f"{name}: is compiled code, which nobody checks; `git rm` it")


def clone(root: Path, folder: Path) -> Path:
    """Clone a project, which may be a subfolder or a worktree; returns its folder in the clone."""
    check_commit(root)
    top, inside, commit = (
        git(root, "rev-parse", question)
        for question in ("--show-toplevel", "--show-prefix", "HEAD")
    )
    git(Path(top), "clone", "--quiet", "--no-checkout", "--template=", "--", top, str(folder))
    git(folder, "checkout", "--quiet", "--detach", commit)
    return folder / inside
