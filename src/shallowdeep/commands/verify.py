"""Prove that the committed code gives the committed results.

Everything runs from nothing in a clean clone of HEAD; then git compares the clone with HEAD. Files
that differ are named, with the largest difference of their numbers.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from os.path import normpath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from shallowdeep.commands.clean_clone import LOCKS, Head, locked_stages, project_folder
from shallowdeep.commands.fresh_run import randomized, rerun
from shallowdeep.commands.terminal import table
from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import InputError, one_line, one_line_errors
from shallowdeep.provenance.environment import environment

RANDOMIZE = """vary what must not matter: threads, hash seed, locale, time zone, umask, path, file
order, instruction sets; a seed repeats a variation"""
NUMBER = re.compile(rb"-?\d+\.?\d*(?:e-?\d+)?")
Outputs = Mapping[str, tuple[str, str]]  # stage and hash, by path


class Finding(NamedTuple):
    """One output, or another file that git tracks, in the commit and in a fresh run."""

    stage: str  # that writes it; empty for another file
    file: str
    verdict: Literal["same bits", "different", "not made"]
    difference: float | None  # largest of two numbers; None where more than numbers differ


class Verification(NamedTuple):
    """A commit, and a fresh run of it."""

    commit: str
    uncommitted: list[str]  # tracked files that differ from it, or are hidden from git
    findings: list[Finding]  # all outputs, and other tracked files that differ
    randomized: dict[str, Any] | None  # what was varied


def verify(root: Path, *, seed: int | None) -> Verification:
    """Clone HEAD, run all stages, compare.

    Args:
        root: the project's folder.
        seed: of the variation; None to vary nothing.
    """
    from dvc.repo import Repo

    with TemporaryDirectory(prefix="shallowdeep-verify-") as name, Repo(str(root)) as repo:
        scratch = Path(name)
        head = Head(root, scratch)
        print("verify: running everything from nothing in a clean clone of HEAD", file=sys.stderr)
        fresh = head.clone(scratch / (randomized(seed)[2] if seed is not None else "clone"))
        before = locked_outputs(fresh)
        if not before:
            raise InputError(f"HEAD has no results in {LOCKS[0]}; commit it")
        cache = str(repo.cache.local_cache_dir)
        varied = rerun(fresh, head.environment, cache=cache, seed=seed)
        changed = head.changes(fresh)

        def committed(file: str) -> bytes:
            if file in changed:
                return head.file(fresh, file)
            return Path(repo.cache.local.oid_to_path(before[file][1])).read_bytes()

        found = findings(before, changed, committed=committed, fresh=fresh)
        change = {"seed": seed, "varied": varied} if seed is not None else None
        return Verification(head.commit, head.uncommitted, found, change)


def locked_outputs(project: Path) -> Outputs:
    """All outputs of the lock files, in their order."""
    return {
        normpath(Path(lock).parent / out["path"]): (name, out["md5"])
        for lock, stages in locked_stages(project).items()
        for name, stage in stages.items()
        for out in stage.get("outs", [])
    }


def findings(
    before: Outputs, changed: Collection[str], *, committed: Callable[[str], bytes], fresh: Path
) -> list[Finding]:
    """Compare all outputs, and whatever else git tracks.

    Args:
        before: outputs of the commit.
        changed: tracked files that the fresh run made otherwise.
        committed: gives the content of a file in the commit.
        fresh: the project's folder after the fresh run.
    """
    after, found = locked_outputs(fresh), []
    for file in dict.fromkeys((*before, *after, *changed)):
        stage = (before.get(file) or after.get(file) or ("", ""))[0]
        if file not in changed and before.get(file) == after.get(file):
            found.append(Finding(stage, file, "same bits", 0.0))
        elif not (fresh / file).exists():
            found.append(Finding(stage, file, "not made", None))
        else:
            apart = None
            with suppress(OSError, LookupError, ValueError, SafetensorError):
                apart = largest_difference(file, committed(file), (fresh / file).read_bytes())
            found.append(Finding(stage, file, "different", apart))
    return found


def largest_difference(file: str, old: bytes, new: bytes) -> float | None:
    """Largest difference of two versions of a file; None if more than finite numbers differ."""
    if file.endswith(".safetensors"):
        header = 8 + int.from_bytes(old[:8], "little")  # names, shapes, types and metadata
        same, a, b = old[:header] == new[:header], load(old), load(new)
        apart = [np.abs(a[key].astype(float) - b[key]).max(initial=0) for key in a if same]
    else:
        same = file.endswith((".csv", ".json")) and NUMBER.split(old) == NUMBER.split(new)
        pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=False)
        apart = [abs(float(one) - float(other)) for one, other in pairs if same]
    largest = float(np.max(apart, initial=0.0))  # NaN if one is NaN
    return largest if same and np.isfinite(largest) else None


def shown(found: Verification) -> str:
    """A table of all outputs for the terminal, after the files that are not committed."""
    rows = []
    for one in found.findings:
        number = "not numbers alone" if one.difference is None else f"{one.difference:.2g}"
        apart = number if one.verdict == "different" else ""
        rows.append((one.stage, one_line(one.file), one.verdict, apart))
    lines = [table(["stage", "output", "", "largest difference"], rows)]
    if found.uncommitted:
        some = ", ".join(found.uncommitted[:3]) + (" ..." if len(found.uncommitted) > 3 else "")
        lines.insert(
            0, f"verify: HEAD is looked at, without what is not committed: {one_line(some)}"
        )
    if found.randomized:
        lines.append(f"verify: randomized with seed {found.randomized['seed']}")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Read the options, verify, print; status 1 where a file differs."""
    parser = argparse.ArgumentParser("shallowdeep verify", description=__doc__)
    parser.add_argument(
        "--randomize", nargs="?", type=int, const=-1, metavar="SEED", help=RANDOMIZE
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings there too")
    options = parser.parse_args(arguments)
    with one_line_errors("verify"):
        seed = random.randrange(2**31) if options.randomize == -1 else options.randomize
        found = verify(project_folder(), seed=seed)
        if options.json:
            content = found._asdict() | {
                "findings": [one._asdict() for one in found.findings],
                "environment": environment()._asdict(),
            }
            write_text(options.json, json.dumps(content, indent=2) + "\n")
        print(shown(found))
        count = len(found.findings)
        if apart := [one.file for one in found.findings if one.verdict != "same bits"]:
            names = one_line(", ".join(apart))
            sys.exit(f"verify: {len(apart)} of {count} files are different: {names}")
        print(f"verify: {count} outputs: same bits")
