"""Pack results and their provenance: python -m shallowdeep crate shallowdeep.zip."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from shallowdeep.commands import experiments
from shallowdeep.commands.clean_clone import changed_files, clone, git, project_folder
from shallowdeep.commands.run_crate import crate_of, hashes
from shallowdeep.files.atomic import replacing
from shallowdeep.files.errors import InputError, one_line
from shallowdeep.files.yaml_file import parse
from shallowdeep.provenance.experiment_count import PREPARED
from shallowdeep.provenance.records import FOLDER

DESCRIPTION = """Write a Workflow Run RO-Crate: the commit, the results that it has in git and in
DVC's cache, models among them, and in ro-crate-metadata.json what ran, on what, with which
parameters and hashes, by dvc.lock and the records of this checkout. It holds the pictures' hashes
only, but for the pictures on results/report.html."""


def pack(root: Path, path: Path | None) -> int:
    """Write the crate of HEAD, complete or not at all.

    Args:
        root: the project.
        path: the file to write, .zip; None to write nothing.

    Returns:
        Number of its files.

    Raises:
        InputError: names the first file of the project that is not committed.
    """
    if changed := changed_files(root):
        raise InputError(f"{changed[0]}: is not committed; commit it, or type `git restore` for it")
    if path is None:
        return 0
    with TemporaryDirectory(prefix="shallowdeep-crate-") as scratch:
        payload = clone(root, Path(scratch, "clone"))
        shutil.rmtree(Path(scratch, "clone/.git"))
        outs = hashes(parse(root / "dvc.lock")["stages"].values(), "outs")
        parts = [root / out for out in outs if out != PREPARED] + [root / FOLDER]
        for file in [file for part in parts for file in (part, *part.rglob("*"))]:
            if file.is_file():
                copy = payload / file.relative_to(root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, copy)
        commit, date = git(root, "show", "--no-patch", "--format=%H %cI", "HEAD").split()
        with replacing(path) as new:
            crate_of(payload, commit, date).write_zip(new)
        return sum(one.is_file() for one in payload.rglob("*"))


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    options = argparse.ArgumentParser("shallowdeep crate", description=DESCRIPTION)
    options.add_argument("file", type=Path, nargs="?", help="the file to write, FILE.zip")
    options.add_argument(
        "--check", action="store_true", help="only say whether it could be written"
    )
    return options


def main(arguments: Sequence[str]) -> None:
    """Refuse stale results, and write the crate."""
    options = parser().parse_args(arguments)
    if (options.file is None) != options.check:
        parser().error("either FILE.zip or --check")
    if options.file and options.file.suffix != ".zip":
        raise InputError(f"{options.file}: does not end with .zip")
    (found,) = experiments.read([experiments.WORKSPACE], predictions=False)
    count = pack(project_folder(), options.file)
    if not options.check:
        size = options.file.stat().st_size / 1e6
        about = f"{count} files, {size:.0f} MB, verdict: {found.verdict}"
        print(f"{one_line(str(options.file))}: {about}")
