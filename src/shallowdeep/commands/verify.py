"""Prove that the committed code gives the committed results.

Clones HEAD into a temporary folder, runs everything there from nothing, and compares every output
with what dvc.lock says, and what the stages read with what DVC says that they read.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

from shallowdeep.commands.terminal import table
from shallowdeep.files.atomic import write_text
from shallowdeep.files.errors import InputError, told_in_one_line
from shallowdeep.files.yaml_file import parse
from shallowdeep.provenance.dvc_hash import md5
from shallowdeep.provenance.environment import environment
from shallowdeep.provenance.records import FOLDER, read_all

Hashes = dict[tuple[str, str], str]  # by stage and path

TOLERANCE = 1e-3  # largest difference of two numbers, beside that of their sixth digit
LOCKS = ("dvc.lock", "data/dvc.lock")
NUMBER = re.compile(rb"-?\d+\.?\d*(?:e-?\d+)?")


class Finding(NamedTuple):
    """What became of one output."""

    stage: str
    output: str
    verdict: Literal["same bits", "within tolerance", "different"]
    difference: float | None  # largest of two numbers, where they could be compared


def hashes(lock: Path, kind: Literal["deps", "outs"]) -> Hashes:
    """What a lock file says that its stages read or wrote."""
    if not lock.exists():
        return {}
    stages = parse(lock)["stages"]
    return {
        (stage, entry["path"]): entry["md5"]
        for stage, content in stages.items()
        for entry in content.get(kind, [])
    }


def held_together(committed: Path, fresh: Path) -> list[Finding]:
    """Compare the outputs of two checkouts, stage by stage.

    Args:
        committed: its lock files say what there should be; its files and DVC cache are looked at
            where a hash differs.
        fresh: has run the same stages.
    """
    findings = []
    for lock in LOCKS:
        there = hashes(fresh / lock, "outs")
        for (stage, path), md5_wanted in hashes(committed / lock, "outs").items():
            if there.get((stage, path)) == md5_wanted:
                findings.append(Finding(stage, path, "same bits", 0.0))
            elif (stage, path) in there or lock == LOCKS[
                0
            ]:  # a data set that is not used is not made
                old = _old_version(committed, Path(lock).parent / path, md5_wanted)
                difference = _difference(old, fresh / Path(lock).parent / path)
                close = difference is not None and difference <= TOLERANCE
                verdict: Any = "within tolerance" if close else "different"
                findings.append(Finding(stage, path, verdict, difference))
    return findings


def edited_meanwhile(fresh: Path) -> list[str]:
    """Inputs that changed while their stage ran: read as one thing, hashed by DVC as another."""
    locked = {
        (stage, os.path.normpath(Path(lock).parent / path)): md5_read
        for lock in LOCKS
        for (stage, path), md5_read in hashes(fresh / lock, "deps").items()
    }
    found = []
    for stage, record in read_all(fresh / FOLDER).items():
        for path, md5_then in record.inputs.items():
            if locked.get((stage, path), md5_then) != md5_then:
                found.append(f"{stage}: {path}")
    return found


def _old_version(committed: Path, path: Path, wanted: str) -> Path | None:
    """The file whose hash is in the lock: in the working tree, or in DVC's cache."""
    cached = committed / ".dvc/cache/files/md5" / wanted[:2] / wanted[2:]
    return next((p for p in (committed / path, cached) if p.is_file() and md5(p) == wanted), None)


def _difference(old: Path | None, new: Path) -> float | None:
    """The largest difference of two files' numbers; None if more than numbers differ."""
    if old is None or not new.is_file():
        return None
    if new.suffix == ".pt":
        return _of_models(old, new)
    a, b = old.read_bytes(), new.read_bytes()
    if new.suffix not in (".csv", ".json") or NUMBER.sub(b"", a) != NUMBER.sub(b"", b):
        return None
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
    return max((abs(float(x) - float(y)) for x, y in pairs), default=0.0)


def _of_models(old: Path, new: Path) -> float | None:
    from shallowdeep.training import model

    a, b = model.read(old).layers, model.read(new).layers
    if [layer.weight.shape for layer in a] != [layer.weight.shape for layer in b]:
        return None
    return max(
        float((x - y).abs().max())
        for p, q in zip(a, b, strict=True)
        for x, y in zip(p, q, strict=True)
    )


def randomized(seed: int) -> tuple[dict[str, str], int, str]:
    """What must not matter: environment, umask and name of the folder."""
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
    return change, draw.choice([0o002, 0o022, 0o077]), draw.choice(["a b", "größe", "x" * 60])


def rerun(clone: Path, *, seed: int | None) -> dict[str, str]:
    """Run all of a fresh clone's stages; returns what was varied."""
    for lock in LOCKS:  # nor the results: nothing committed may be taken for made anew
        (clone / lock).unlink(missing_ok=True)
    shutil.rmtree(clone / "results")
    change, umask, _ = randomized(seed) if seed is not None else ({}, -1, "")
    env = os.environ | change
    command = [shutil.which("dvc") or "dvc", "repro", "--no-run-cache"]
    if seed is not None and (clone / "data/dvc.yaml").exists():
        folder = parse(clone / "params.yaml")["data"]["dir"]
        if folder == "data/sample":
            _run([*command, "data/dvc.yaml:sample"], clone, env, umask)
            _shuffle(clone / folder, seed)
            change["order of the files"] = "shuffled"
    _run(command, clone, env, umask)
    return change | ({"umask": oct(umask)} if seed is not None else {})


def _run(command: list[str], folder: Path, env: Mapping[str, str], umask: int) -> None:
    done = subprocess.run(
        command, cwd=folder, env=env, umask=umask, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise InputError(f"the run in the clone failed: {lines[-1] if lines else done.returncode}")


def _shuffle(folder: Path, seed: int) -> None:
    """Make the files of a folder again, in another order and with other times."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    contents = [(path, path.read_bytes()) for path in files]
    random.Random(seed).shuffle(contents)
    for path in files:
        path.chmod(0o644)
        path.unlink()
    for number, (path, content) in enumerate(contents):
        path.write_bytes(content)
        os.utime(path, (number, number))


def shown(findings: list[Finding]) -> str:
    """For the terminal."""
    rows = []
    for one in findings:
        apart = "" if one.verdict == "same bits" else "not numbers alone"
        apart = apart if one.difference is None or not apart else f"{one.difference:.2g}"
        rows.append((one.stage, one.output, one.verdict, apart))
    return table(["stage", "output", "", "largest difference"], rows)


def main(arguments: Sequence[str]) -> None:
    """Read the options, verify; status 1 where an output differs."""
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
    """Clone, run, compare, print.

    Args:
        randomize: seed of what is varied; -1 for any, None where nothing is to be.
        json_file: where the findings are to be written too.
    """
    root = Path.cwd()
    if not (root / "dvc.yaml").exists():
        raise InputError("there is no dvc.yaml here; run it at the top of the project")
    if not hashes(root / LOCKS[0], "outs"):
        raise InputError(f"there is no {LOCKS[0]}; `make repro` makes it, then commit it")
    seed = random.randrange(2**31) if randomize == -1 else randomize
    with TemporaryDirectory(prefix="shallowdeep-verify-") as scratch:
        name = randomized(seed)[2] if seed is not None else "clone"
        clone, committed = Path(scratch, name), Path(scratch, "committed")
        for folder in (clone, committed):
            _run(["git", "clone", "--quiet", str(root), str(folder)], root, os.environ, -1)
        (clone / ".venv").symlink_to(Path(sys.prefix))
        (committed / ".dvc/cache").symlink_to(root / ".dvc/cache")
        print("verify: running everything from nothing in a clean clone of HEAD", file=sys.stderr)
        varied = rerun(clone, seed=seed)
        findings, edited = held_together(committed, clone), edited_meanwhile(clone)
    print(shown(findings))
    for one in edited:
        print(f"verify: {one} was edited while its stage ran")
    worst = {finding.verdict for finding in findings}
    different = sum(finding.verdict == "different" for finding in findings)
    if json_file:
        content = {
            "findings": [finding._asdict() for finding in findings],
            "edited_meanwhile": edited,
            "randomized": {"seed": seed, "varied": varied} if seed is not None else None,
            "environment": environment()._asdict(),
        }
        write_text(json_file, json.dumps(content, indent=2) + "\n")
    if seed is not None:
        print(f"verify: randomized with seed {seed}")
    if different or edited:
        sys.exit(f"verify: {different} of {len(findings)} outputs are different")
    print(
        f"verify: {len(findings)} outputs: "
        + ("same bits" if worst == {"same bits"} else f"within tolerance, {TOLERANCE:g}")
    )
