"""Hold the lock files of a commit against those of a fresh run."""

import json
import re
from pathlib import Path
from typing import Any, Literal, NamedTuple

from shallowdeep.commands.lock import LOCKS, from_the_top, locked
from shallowdeep.files.yaml_file import parse
from shallowdeep.provenance.dvc_hash import md5

TOLERANCE = 1e-3  # largest difference of two numbers, beside that of their sixth digit
NUMBER = re.compile(rb"-?\d+\.?\d*(?:e-?\d+)?")


class Finding(NamedTuple):
    """What became of one output."""

    stage: str
    output: str
    verdict: Literal["same bits", "within tolerance", "different", "not made"]
    difference: float | None  # largest of two numbers, where they could be compared


def held_together(committed: Path, fresh: Path, *, cache: Path) -> list[Finding]:
    """Compare the outputs of two checkouts, stage by stage.

    Args:
        committed: its lock files say what there should be; its files are looked at where a hash
            differs.
        fresh: has run the same stages.
        cache: DVC's, for outputs that git does not track.
    """
    findings = []
    for lock in LOCKS:
        there = locked(fresh / lock).stages
        for stage, wrote in locked(committed / lock).stages.items():
            made = there[stage].outs if stage in there else {}
            for path, wanted in wrote.outs.items():
                file = from_the_top(lock, path)
                if path not in made:
                    findings.append(Finding(stage, file, "not made", None))
                elif made[path].md5 == wanted.md5:
                    findings.append(Finding(stage, file, "same bits", 0.0))
                else:
                    old = _old_version(committed / file, cache, wanted.md5)
                    difference = _difference(old, fresh / file)
                    close = difference is not None and difference <= TOLERANCE
                    verdict: Any = "within tolerance" if close else "different"
                    findings.append(Finding(stage, file, verdict, difference))
    return findings


def locks_apart(committed: Path, fresh: Path, told: list[Finding]) -> list[str]:
    """What else two checkouts' lock files say differently.

    Args:
        committed: with the locks that there should be.
        fresh: with those of a run of the same stages.
        told: outputs whose hash differs; their entries, read by other stages too, do not count.
    """
    found = []
    others = {one.output for one in told if one.verdict != "same bits"}
    for lock in LOCKS:
        before, after = (_flat(folder, lock, others) for folder in (committed, fresh))
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                sides = f"{before.get(key, 'nothing')}, a fresh run {after.get(key, 'nothing')}"
                found.append(f"{lock}: {key}: {sides}")
    return found


def _flat(folder: Path, lock: str, left_out: set[str]) -> dict[str, str]:
    """Everything that a lock file says, by where it stands; in any order of stages."""
    if not (folder / lock).exists():
        return {}
    content = parse(folder / lock)
    found = {key: json.dumps(value) for key, value in content.items() if key != "stages"}
    for name, stage in locked(folder / lock).stages.items():
        for key, value in stage.content.items():
            if key not in ("deps", "outs"):
                found[f"{name}: {key}"] = json.dumps(value, sort_keys=True)
                continue
            for entry in value:
                if from_the_top(lock, entry["path"]) not in left_out:
                    about = {field: said for field, said in entry.items() if field != "path"}
                    found[f"{name}: {key}: {entry['path']}"] = json.dumps(about, sort_keys=True)
    return found


def _old_version(file: Path, cache: Path, wanted: str) -> Path | None:
    """The file whose hash is in the lock: in the clone, or in DVC's cache."""
    cached = cache / "files/md5" / wanted[:2] / wanted[2:]
    return next((path for path in (file, cached) if path.is_file() and md5(path) == wanted), None)


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
