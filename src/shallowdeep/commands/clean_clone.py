"""A clone of HEAD in a folder of its own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from shallowdeep.files.checkout import project_root
from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse

LOCKS = ("dvc.lock", "data/dvc.lock")  # of the pipeline, and of the data sets


def project_folder() -> Path:
    """The project that the current folder lies in.

    Raises:
        InputError: there is none, or it has no lock.
    """
    root = project_root()
    if not ((root / ".dvc").is_dir() and (root / "dvc.yaml").exists()):
        raise InputError("there is no dvc.yaml here; run it in the project")
    if not (root / LOCKS[0]).exists():
        raise InputError(f"there is no {LOCKS[0]}; `make repro` makes it, then commit it")
    return root


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
        return os.fsencode(self._git(folder, "show", f"{self.commit}:./{name}"))

    def clone(self, folder: Path) -> Path:
        """Clone it into a new folder; returns the project's folder in it."""
        options = ("--quiet", "--no-checkout", "--template=", "--", self._top, str(folder))
        self._git(Path(self._top), "clone", *options)
        self._git(folder, "checkout", "--quiet", "--detach", self.commit)
        return folder / self._inside

    def _git(self, folder: Path, *arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, check=False, env=self.environment)
        if done.returncode:
            problem = done.stderr.decode(errors="replace").strip().partition("\n")[0]
            raise InputError(f"git {arguments[0]}: {problem or f'exit status {done.returncode}'}")
        return os.fsdecode(done.stdout)


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


def locked_stages(project: Path) -> dict[str, dict[str, Any]]:
    """Stages of each lock file that there is, as DVC takes it.

    Raises:
        InputError: it is no lock file of DVC.
    """
    import voluptuous
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA

    try:
        return {
            lock: COMPILED_LOCKFILE_SCHEMA(parse(project / lock)).get("stages", {})
            for lock in LOCKS
            if (project / lock).exists()
        }
    except voluptuous.Error:
        raise InputError("dvc.lock: not as DVC writes it; `dvc repro` makes it anew") from None
