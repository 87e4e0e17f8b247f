"""Differences between the files of a commit and those of a fresh run, in numbers."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

TOLERANCE = 1e-3  # largest difference of two numbers
NUMBER = re.compile(rb"-?\d+\.?\d*(?:e-?\d+)?")
Locks = Mapping[str, Mapping[str, Any]]  # content of lock files, by their names


class Finding(NamedTuple):
    """One output, or another file that git tracks, in the commit and in a fresh run."""

    stage: str  # that writes it; empty for another file
    file: str
    verdict: Literal["same bits", "within tolerance", "different", "not made"]
    difference: float | None  # largest of two numbers; None where more than numbers differ


def findings(
    before: Locks,
    after: Locks,
    changed: list[str],
    *,
    committed: Callable[[str], bytes],
    cached: Callable[[str], bytes],
    fresh: Path,
) -> list[Finding]:
    """Compare all outputs, and whatever else git tracks.

    Args:
        before: lock files of the commit.
        after: those of the fresh run.
        changed: tracked files that the fresh run made otherwise.
        committed: gives the content of a tracked file.
        cached: gives what DVC's cache has under a hash.
        fresh: the project's folder after the fresh run.
    """
    new = {file: md5 for _, file, md5 in _outputs(after)}

    def verdict(stage: str, file: str, md5: str) -> Finding:
        if file in changed:
            return _judged(stage, file, lambda: _file_difference(file, committed(file), fresh))
        if not new.get(file):
            return Finding(stage, file, "not made", None)
        if new[file] == md5:
            return Finding(stage, file, "same bits", 0.0)
        return _judged(stage, file, lambda: _output_difference(file, md5, cached, fresh))

    found = [verdict(*one) for one in _outputs(before)]
    known = {one.file for one in found}
    found += [
        Finding(s, file, "different", None) for s, file, _ in _outputs(after) if file not in known
    ]
    close = {one.file for one in found if one.verdict == "within tolerance"}
    for file in changed:
        if (
            file in before
            and not (close and _apart_from(before, close) == _apart_from(after, close))
        ) or (file not in before and file not in known):
            found.append(Finding("", file, "different", None))
    return found


def _outputs(locks: Locks) -> Iterator[tuple[str, str, str]]:
    """Stage, path and hash of every output, in the order of the lock files."""
    for lock, content in locks.items():
        for name, stage in content.get("stages", {}).items():
            for out in stage.get("outs", []):
                yield name, from_top(lock, out["path"]), out.get("md5", "")


def from_top(lock: str, path: str) -> str:
    """A path of a lock file, as seen from the project's folder."""
    return os.path.normpath(Path(lock).parent / path)


def _judged(stage: str, file: str, compare: Callable[[], float | None]) -> Finding:
    try:
        apart = compare()
    except (OSError, ValueError, LookupError, TypeError, SafetensorError):
        apart = None
    if apart is None or not np.isfinite(apart):
        return Finding(stage, file, "different", None)
    return Finding(stage, file, "within tolerance" if apart <= TOLERANCE else "different", apart)


def _output_difference(
    file: str, md5: str, cached: Callable[[str], bytes], fresh: Path
) -> float | None:
    """Largest difference of two versions of an output that is in DVC's cache."""
    content = cached(md5)
    if not md5.endswith(".dir"):
        return _file_difference(file, content, fresh)
    old = {entry["relpath"]: entry["md5"] for entry in json.loads(content)}
    there = {
        str(path.relative_to(fresh / file)) for path in (fresh / file).rglob("*") if path.is_file()
    }
    if there != old.keys():
        return None
    apart = [
        _file_difference(f"{file}/{name}", cached(hash_), fresh) for name, hash_ in old.items()
    ]
    return None if None in apart else _largest([one for one in apart if one is not None])


def _file_difference(file: str, old: bytes, fresh: Path) -> float | None:
    """Largest difference of two versions of a file; None if more than numbers differ."""
    new = (fresh / file).read_bytes()
    if old == new:
        return 0.0
    if file.endswith(".safetensors"):
        return _of_tensors(old, new)
    if not file.endswith((".csv", ".json")) or NUMBER.split(old) != NUMBER.split(new):
        return None
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return _largest([abs(float(a) - float(b)) for a, b in pairs])


def _of_tensors(old: bytes, new: bytes) -> float | None:
    """Tensor by tensor, if names, shapes, types and metadata are the same."""
    header = 8 + int.from_bytes(old[:8], "little")
    if old[:header] != new[:header]:
        return None
    a, b = load(old), load(new)
    return _largest([np.abs(a[key].astype(float) - b[key]).max(initial=0) for key in a])


def _largest(numbers: Sequence[float]) -> float:
    """Largest of some numbers; NaN if one is NaN, which Python's `max` may pass over."""
    return float(np.max(numbers, initial=0.0))


def _apart_from(locks: Locks, close: set[str]) -> object:
    """Lock files without the hashes of some outputs, and of folders that hold them."""

    def entry(lock: str, one: Mapping[str, Any]) -> object:
        path = from_top(lock, one["path"])
        known = path in close or any(file.startswith(f"{path}/") for file in close)
        return path if known else one

    return {
        lock: {
            name: {
                key: [entry(lock, one) for one in value] if key in ("deps", "outs") else value
                for key, value in stage.items()
            }
            for name, stage in content.get("stages", {}).items()
        }
        for lock, content in locks.items()
    }
