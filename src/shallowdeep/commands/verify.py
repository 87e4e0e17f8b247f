"""Prove that the committed code gives the committed results.

First the files that git tracks at HEAD are held against the lock files. If they are what the locks
say, everything is run from nothing in a clean clone, and the locks of that run are held against the
committed ones.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from shallowdeep.commands.clean_clone import Head, dvc_cache, randomized, rerun
from shallowdeep.commands.committed import (
    Mismatch,
    edited_meanwhile,
    unlike_the_locks,
    unlike_their_checksums,
)
from shallowdeep.commands.lock import LOCKS, locked
from shallowdeep.commands.made_anew import TOLERANCE, Finding, held_together, locks_apart
from shallowdeep.commands.terminal import table
from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import InputError, one_line, told_in_one_line
from shallowdeep.provenance.environment import environment
from shallowdeep.provenance.records import FOLDER


class Verification(NamedTuple):
    """All that was found; nothing is wrong where only `same bits` and empty lists are."""

    commit: str
    uncommitted: list[str]  # tracked files that differ from it; they are not looked at
    committed: list[Mismatch]  # files and dvc.yaml against the locks
    records: list[str]  # records in results/provenance that are not as their stage left them
    edited_meanwhile: list[str]  # inputs that were edited while their stage ran
    findings: list[Finding] | None  # a fresh run's outputs against the locks; None: not run
    locks: list[str]  # what else the fresh run's locks say differently
    randomized: dict[str, Any] | None  # what was varied

    def wrong(self) -> list[str]:
        """What keeps it from being the same results, a line each."""
        said = [
            f"{one.lock}: {one.stage + ': ' if one.stage else ''}{one.what}: "
            f"the lock: {one.locked}; committed: {one.committed}"
            for one in self.committed
        ]
        said += [f"{FOLDER / name}: is not as its stage left it" for name in self.records]
        said += [f"{one} was edited while its stage ran" for one in self.edited_meanwhile]
        return said + self.locks

    def apart(self) -> list[Finding]:
        """Outputs that a fresh run makes otherwise."""
        known = self.findings or []
        return [one for one in known if one.verdict in ("different", "not made")]


def shown(findings: list[Finding]) -> str:
    """For the terminal."""
    rows = []
    for one in findings:
        apart = "" if one.verdict in ("same bits", "not made") else "not numbers alone"
        apart = apart if one.difference is None or not apart else f"{one.difference:.2g}"
        rows.append((one.stage, one.output, one.verdict, apart))
    return table(["stage", "output", "", "largest difference"], rows)


def main(arguments: Sequence[str]) -> None:
    """Read the options, verify; status 1 where anything is not as it was committed."""
    parser = argparse.ArgumentParser("shallowdeep verify", description=__doc__)
    parser.add_argument(
        "--randomize",
        nargs="?",
        type=int,
        const=-1,
        metavar="SEED",
        help="vary what must not matter: threads, hash seed, locale, time zone, umask, path, file"
        " order, instruction sets; a seed repeats a variation",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the findings there too")
    options = parser.parse_args(arguments)
    with told_in_one_line("verify"):
        verify(randomize=options.randomize, json_file=options.json)


def verify(*, randomize: int | None, json_file: Path | None) -> None:
    """Look at what is committed, clone, run, compare, print.

    Args:
        randomize: seed of what is varied; -1 for any, None where nothing is to be.
        json_file: where the findings are to be written too.
    """
    seed = random.randrange(2**31) if randomize == -1 else randomize
    found = _verified(project_folder(), seed=seed)
    if json_file:
        content = found._asdict() | {
            "findings": [one._asdict() for one in found.findings or []],
            "committed": [one._asdict() for one in found.committed],
            "run": found.findings is not None,
            "environment": environment()._asdict(),
        }
        write_text(json_file, json.dumps(content, indent=2) + "\n")
    if found.uncommitted:
        some = ", ".join(found.uncommitted[:3]) + (" ..." if len(found.uncommitted) > 3 else "")
        print(f"verify: HEAD is looked at, without what is not committed: {one_line(some)}")
    if found.findings is not None:
        print(shown(found.findings))
    for line in found.wrong():
        print(f"verify: {one_line(line)}")
    if seed is not None:
        print(f"verify: randomized with seed {seed}")
    _judge(found)


def _judge(found: Verification) -> None:
    """The last line, and the exit status."""
    if found.findings is None:
        sys.exit(f"verify: {len(found.wrong())} committed things are not as the locks say; not run")
    if found.apart() or found.wrong():
        all_of_them = f"{len(found.apart())} of {len(found.findings)} outputs are different"
        more = f", {len(found.wrong())} other things are not as they should be"
        sys.exit(f"verify: {all_of_them}{more if found.wrong() else ''}")
    same = {one.verdict for one in found.findings} == {"same bits"}
    close = "same bits" if same else f"within tolerance, {TOLERANCE:g}"
    print(f"verify: {len(found.findings)} outputs: {close}")


def project_folder() -> Path:
    """The project that the current folder lies in.

    Raises:
        InputError: there is none, or it has no lock.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".dvc").is_dir() and (folder / "dvc.yaml").exists():
            if not locked(folder / LOCKS[0]).stages:
                raise InputError(f"there is no {LOCKS[0]}; `make repro` makes it, then commit it")
            return folder
    raise InputError("there is no dvc.yaml here; run it in the project")


def _verified(root: Path, *, seed: int | None) -> Verification:
    with TemporaryDirectory(prefix="shallowdeep-verify-") as folder:
        scratch, cache = Path(folder), dvc_cache(root)
        head = Head(root, scratch)
        committed = head.clone(scratch / "committed")
        found = Verification(
            commit=head.commit,
            uncommitted=head.uncommitted,
            committed=unlike_the_locks(committed),
            records=unlike_their_checksums(root / FOLDER),
            edited_meanwhile=edited_meanwhile(root),
            findings=None,
            locks=[],
            randomized=None,
        )
        if found.wrong():
            return found
        print("verify: running everything from nothing in a clean clone of HEAD", file=sys.stderr)
        fresh = head.clone(scratch / (randomized(seed)[2] if seed is not None else "clone"))
        varied = rerun(fresh, head.environment, cache=cache, seed=seed)
        findings = held_together(committed, fresh, cache=cache)
        return found._replace(
            edited_meanwhile=edited_meanwhile(fresh),
            findings=findings,
            locks=locks_apart(committed, fresh, findings),
            randomized={"seed": seed, "varied": varied} if seed is not None else None,
        )
