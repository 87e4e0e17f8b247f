"""Pack results and their provenance: python -m shallowdeep crate shallowdeep.zip."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from shallowdeep.commands import experiments, run_crate
from shallowdeep.commands.clean_clone import LOCKS, Head, project_folder, read_locks
from shallowdeep.files.atomic import replacing
from shallowdeep.files.errors import InputError, one_line, one_line_errors
from shallowdeep.provenance.experiment_count import PREPARED
from shallowdeep.provenance.records import FOLDER

DESCRIPTION = """Write a Workflow Run RO-Crate: the commit, the results that it has in git and in
DVC's cache, models among them, and in ro-crate-metadata.json what ran, on what, with which
parameters and hashes, by dvc.lock and the records of this checkout. Pictures stay where they are;
the crate has their hashes, but for those on results/report.html."""


def pack(root: Path, path: Path) -> int:
    """Write the crate of HEAD, complete or not at all.

    Args:
        root: the project.
        path: the file to write, .zip.

    Returns:
        Number of its files.

    Raises:
        InputError: a file is not committed.
    """
    with TemporaryDirectory(prefix="shallowdeep-crate-") as name:
        scratch = Path(name)
        head = committed(root, scratch)
        payload = head.clone(scratch / "clone")
        shutil.rmtree(scratch / "clone/.git")
        for file in _outputs(root):
            copy = payload / file.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        described = run_crate.crate_of(payload, head.commit, head.date)
        with replacing(path) as new:
            described.write_zip(new)
        return sum(one.is_file() for one in payload.rglob("*"))


def committed(root: Path, scratch: Path) -> Head:
    """Return HEAD, if the project's files are all those of it.

    Args:
        root: the project.
        scratch: a folder for git's configuration.

    Raises:
        InputError: names the first file that is not committed.
    """
    head = Head(root, scratch)
    if head.uncommitted:
        raise InputError(
            f"{head.uncommitted[0]}: is not committed; commit it, or type `git restore` for it"
        )
    return head


def _outputs(root: Path) -> list[Path]:
    """Files that stages wrote, without the pictures, and the records of them."""
    stages = read_locks(root)[LOCKS[0]]["stages"].values()
    outs = [root / out["path"] for stage in stages for out in stage["outs"]]
    found = [file for out in outs if out != root / PREPARED for file in (out, *out.rglob("*"))]
    return [file for file in found if file.is_file()] + sorted((root / FOLDER).glob("*.json"))


def main(arguments: Sequence[str]) -> None:
    """Refuse stale results, and write the crate."""
    parser = argparse.ArgumentParser("shallowdeep crate", description=DESCRIPTION)
    parser.add_argument("file", type=Path, nargs="?", help="the file to write, FILE.zip")
    parser.add_argument("--check", action="store_true", help="only say whether it could be written")
    options = parser.parse_args(arguments)
    if (options.file is None) != options.check:
        parser.error("either FILE.zip or --check")
    with one_line_errors("crate"):
        if options.file and options.file.suffix != ".zip":
            raise InputError(f"{options.file}: does not end with .zip")
        found = experiments.read([experiments.WORKSPACE], predictions=False)[0]
        if options.check:
            with TemporaryDirectory(prefix="shallowdeep-crate-") as scratch:
                committed(project_folder(), Path(scratch))
            return
        count = pack(project_folder(), options.file)
        size = options.file.stat().st_size / 1e6
        about = f"{count} files, {size:.0f} MB, verdict: {found.metrics.verdict}"
        print(f"{one_line(str(options.file))}: {about}")
