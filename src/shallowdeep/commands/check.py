"""Look at the files of data.dir before DVC does: python -m shallowdeep check."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from shallowdeep.datasets.class_folders import NOTE
from shallowdeep.files.errors import InputError
from shallowdeep.files.file_tree import Kind, walk
from shallowdeep.pictures.preparation import planned
from shallowdeep.settings import params
from shallowdeep.settings.params import Params

DESCRIPTION = """Check params.yaml and the names of the files in its data.dir, without opening one:
finds what `prepare` would refuse, and pipes or names that are not UTF-8, which would stop DVC.
Prints nothing if all is well."""


def check_pictures(settings: Params) -> None:
    """Refuse a data.dir that `prepare` or DVC would refuse; one that DVC is to make may be missing.

    Raises:
        InputError: says why.
    """
    folder = Path(settings.data.dir)
    is_there = folder.exists() and not (folder / NOTE).exists()
    if is_there or not is_output(folder):
        planned(settings)
        hashable(folder)
        kept_from_git(folder)


def kept_from_git(folder: Path) -> None:
    """Refuse pictures in the checkout that DVC's next experiment would put into git.

    Raises:
        InputError: names the two ways out.
    """
    if not Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(".")):
        return
    from dvc.repo import Repo  # 0.3 s
    from scmrepo.git import Git

    with Repo() as repo:
        scm, path = repo.scm, str(folder.absolute())
        if isinstance(scm, Git) and not (scm.is_ignored(f"{path}/.") or scm.is_tracked(path)):
            raise InputError(
                f"data.dir: {folder}: git neither tracks nor ignores it, so the next experiment"
                " would put its pictures into git; move it below data/ or out of the checkout, or"
                " name it in .gitignore"
            )


def is_output(folder: Path) -> bool:
    """True if a stage or a .dvc file makes the folder, or a folder above it."""
    from dvc.repo import Repo  # 0.3 s

    with Repo() as repo:
        outs = [out.fs_path for out in repo.index.outs]
    return any(Path(os.path.realpath(folder)).is_relative_to(out) for out in outs)


def hashable(folder: Path) -> None:
    """Refuse a folder with a file that DVC cannot hash.

    Raises:
        InputError: names the first of them, and their number.
    """
    problems = sorted(
        f"{entry.path}: {problem}"
        for entry in walk(folder)
        if (problem := _problem(entry.path, entry.kind))
    )
    if problems:
        raise InputError(
            f"data.dir: {folder}: DVC cannot hash {len(problems):,} of its files, first"
            f" {problems[0]}"
        )


def _problem(path: str, kind: Kind) -> str | None:
    if kind is Kind.OTHER:
        return "neither a file nor a link to one; take it away"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it"
    return None


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    return argparse.ArgumentParser("shallowdeep check", description=DESCRIPTION)


def main(arguments: Sequence[str]) -> None:
    """Check params.yaml and its data.dir; print nothing if all is well."""
    parser().parse_args(arguments)
    check_pictures(params.read(Path("params.yaml")))
