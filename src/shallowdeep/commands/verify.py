"""Prove that the committed code gives the committed results.

`dvc repro` runs everything from nothing in a clean clone of HEAD; then git and dvc.lock say which
files differ, and `dvc metrics diff` by how much.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from shallowdeep.commands.clean_clone import (
    changed_files,
    clean_environment,
    clone,
    git,
    project_folder,
)
from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import InputError, one_line
from shallowdeep.files.yaml_file import parse
from shallowdeep.provenance.environment import environment

RANDOMIZE = """vary what must not matter: threads, hash seed, locale, time zone, umask, path, file
order, instruction sets; a seed repeats a variation"""
SAMPLE = "data/sample"
Hashes = dict[str, str]  # of all outputs by dvc.lock, by path


class Variation(NamedTuple):
    """Conditions of a run that must not matter."""

    environment: Mapping[str, str]
    umask: int = -1  # as it is
    folder: str = "clone"


class Verification(NamedTuple):
    """A commit, and a fresh run of it."""

    commit: str
    uncommitted: list[str]  # tracked files that differ from it, which are left out
    outputs: Hashes
    different: list[str]  # files of the fresh run
    randomized: dict[str, Any] | None  # what was varied
    environment: dict[str, Any]


def randomized(seed: int) -> Variation:
    """Draw a variation."""
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
    umask, folder = draw.choice([0o002, 0o022, 0o077]), draw.choice(["a b", "größe", "x" * 60])
    return Variation(change, umask, folder)


def verify(root: Path, *, seed: int | None) -> Verification:
    """Clone HEAD, run all stages, compare.

    Args:
        root: the project's folder.
        seed: of the variation; None to vary nothing.
    """
    varied = Variation({}) if seed is None else randomized(seed)
    with TemporaryDirectory(prefix="shallowdeep-verify-") as scratch:
        print("verify: running everything from nothing in a clean clone of HEAD", file=sys.stderr)
        fresh = clone(root, Path(scratch, varied.folder))
        before = locked_outputs(fresh)
        if not before:
            raise InputError("HEAD has no results in dvc.lock; commit it")
        for path in before:  # DVC would leave those of a frozen stage
            out = fresh / path
            shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)
        rerun(root, fresh, varied, seed=seed)
        other = [path for path, md5 in locked_outputs(fresh).items() if before.get(path) != md5]
        different = list(dict.fromkeys([*other, *changed_files(fresh)]))
        if different:
            with suppress(InputError):  # metrics that no longer are any
                print(dvc(fresh, varied, "metrics", "diff", "HEAD"))
        return Verification(
            git(fresh, "rev-parse", "HEAD"),
            changed_files(root),
            before,
            different,
            None if seed is None else {"seed": seed, **varied._asdict()},
            environment()._asdict(),
        )


def locked_outputs(project: Path) -> Hashes:
    """DVC's hash of all outputs that dvc.lock and data/dvc.lock have."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(project)) as repo:
            return {
                str(Path(out.fs_path).relative_to(repo.root_dir)): out.hash_info.value
                for out in repo.index.outs
                if out.hash_info
            }
    except DvcException as error:
        raise InputError(f"HEAD: {error}") from None


def rerun(root: Path, fresh: Path, varied: Variation, *, seed: int | None) -> None:
    """Run all stages in a clone of the project `root`; a seed shuffles the sample's files too."""
    from dvc.repo import Repo

    (fresh / ".venv").symlink_to(Path(sys.prefix))
    if tracked := [str(path.relative_to(fresh)) for path in fresh.glob("data/*.dvc")]:
        with Repo(str(root)) as repo:  # its cache has what `dvc add` or `dvc import-url` keeps
            (fresh / ".dvc/cache").symlink_to(repo.cache.local_cache_dir)
        dvc(fresh, varied, "--quiet", "checkout", *tracked)
        (fresh / ".dvc/cache").unlink()  # no stage gets to see it
    repro = ["repro", "--force", "--no-run-cache"]
    if seed is not None and parse(fresh / "params.yaml")["data"]["dir"] == SAMPLE:
        dvc(fresh, varied, *repro, "data/dvc.yaml:sample", "data/dvc.yaml:oxford-pets")
        shuffle(fresh / SAMPLE, seed)
        repro += ["--downstream", "prepare"]
    dvc(fresh, varied, *repro)


def dvc(project: Path, varied: Variation, *arguments: str) -> str:
    """Output of a command of DVC."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "dvc", *arguments],
        cwd=project,
        env={**clean_environment(), **varied.environment},
        umask=varied.umask,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        problem = " ".join((done.stdout + done.stderr).rpartition("ERROR: ")[2].split())
        raise InputError(f"the run in the clone failed: {problem or done.returncode}")
    return done.stdout


def shuffle(folder: Path, seed: int) -> None:
    """Write the files of a folder again, in another order and with other times."""
    contents = [(path, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]
    shutil.rmtree(folder)
    random.Random(seed).shuffle(contents)
    for number, (path, content) in enumerate(contents):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (number, number))


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    options = argparse.ArgumentParser("shallowdeep verify", description=__doc__)
    options.add_argument(
        "--randomize", nargs="?", type=int, const=-1, metavar="SEED", help=RANDOMIZE
    )
    options.add_argument("--json", type=Path, metavar="FILE", help="write the findings there too")
    return options


def main(arguments: Sequence[str]) -> None:
    """Read the options, verify, print; status 1 where a file differs."""
    options = parser().parse_args(arguments)
    seed = random.randrange(2**31) if options.randomize == -1 else options.randomize
    found = verify(project_folder(), seed=seed)
    if options.json:
        write_text(options.json, json.dumps(found._asdict(), indent=2) + "\n")
    if found.uncommitted:
        some = ", ".join(found.uncommitted[:3]) + (" ..." if len(found.uncommitted) > 3 else "")
        print(f"verify: HEAD was run, without what is not committed: {one_line(some)}")
    if found.randomized:
        print(f"verify: randomized with seed {seed}")
    if found.different:
        names = one_line(", ".join(found.different))
        sys.exit(f"verify: {len(found.different)} files are different: {names}")
    print(f"verify: {len(found.outputs)} outputs: same bits")
