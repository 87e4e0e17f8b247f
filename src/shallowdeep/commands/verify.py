"""Prove that the committed code gives the committed results.

Everything runs from nothing in a clean clone of HEAD; then git compares the clone with HEAD. Files
that differ are named, with the largest difference of their numbers.
"""

import argparse
import hashlib
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from shallowdeep.commands.clean_clone import (
    LOCKS,
    Head,
    project_folder,
    randomized,
    read_locks,
    rerun,
)
from shallowdeep.commands.difference import TOLERANCE, Finding, findings
from shallowdeep.commands.terminal import table
from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import InputError, one_line, one_line_errors
from shallowdeep.provenance.environment import environment

RANDOMIZE = """vary what must not matter: threads, hash seed, locale, time zone, umask, path, file
order, instruction sets; a seed repeats a variation"""


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
        before = read_locks(fresh)
        if not before.get(LOCKS[0], {}).get("stages"):
            raise InputError(f"HEAD has no results in {LOCKS[0]}; commit it")
        cache = str(repo.cache.local_cache_dir)
        varied = rerun(fresh, head.environment, cache=cache, seed=seed)

        def cached(md5: str) -> bytes:
            content = Path(repo.cache.local.oid_to_path(md5)).read_bytes()
            if hashlib.md5(content).hexdigest() != md5.removesuffix(".dir"):
                raise ValueError("damaged")  # then nothing is compared
            return content

        found = findings(
            before,
            read_locks(fresh),
            head.changes(fresh),
            committed=lambda file: head.file(fresh, file),
            cached=cached,
            fresh=fresh,
        )
        change = {"seed": seed, "varied": varied} if seed is not None else None
        return Verification(head.commit, head.uncommitted, found, change)


def shown(found: Verification) -> str:
    """A table of all outputs for the terminal, after the files that are not committed."""
    rows = []
    for one in found.findings:
        apart = "" if one.verdict in ("same bits", "not made") else "not numbers alone"
        apart = apart if one.difference is None or not apart else f"{one.difference:.2g}"
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
        verdicts = [one.verdict for one in found.findings]
        if apart := [
            one.file for one in found.findings if one.verdict in ("different", "not made")
        ]:
            names = one_line(", ".join(apart))
            sys.exit(f"verify: {len(apart)} of {count} files are different: {names}")
        close = f"within tolerance, {TOLERANCE:g}"
        print(
            f"verify: {count} outputs: {close if 'within tolerance' in verdicts else 'same bits'}"
        )
