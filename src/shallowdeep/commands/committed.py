"""Hold what is committed against the lock files; nothing is run.

Every stage and output of dvc.yaml has to be in dvc.lock, and every file that git tracks has to be
what the lock says of it.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from shallowdeep.commands.lock import LOCKS, Entry, Stage, from_the_top, locked
from shallowdeep.files.yaml_file import parse
from shallowdeep.provenance.declared import Stage as DeclaredStage
from shallowdeep.provenance.declared import declared_stages, parameter
from shallowdeep.provenance.dvc_hash import files, md5
from shallowdeep.provenance.records import is_whole, read_all


class Mismatch(NamedTuple):
    """What a lock says, and what is committed in its stead."""

    lock: str
    stage: str
    what: str  # a path, `cmd`, or another thing of the stage
    locked: str
    committed: str


def unlike_the_locks(project: Path) -> list[Mismatch]:
    """What is committed and is not as the lock files say.

    Args:
        project: a clean clone, so that all of its files are those of a commit.
    """
    there = {lock: locked(project / lock).stages for lock in LOCKS}
    declared = {
        lock: declared_stages((project / lock).parent)
        for lock in LOCKS
        if (project / lock).with_name("dvc.yaml").exists()
    }
    outs = {
        from_the_top(lock, path): entry.md5
        for lock, stages in there.items()
        for stage in stages.values()
        for path, entry in stage.outs.items()
    }
    used = {dep for stage in declared[LOCKS[0]].values() for dep in stage.deps}
    found: list[Mismatch] = []
    for lock, stages in declared.items():
        for name, stage in stages.items():
            needed = lock == LOCKS[0] or any(from_the_top(lock, out) in used for out in stage.outs)
            if name not in there[lock] and needed:
                found.append(Mismatch(lock, name, "the stage", "nothing", "in dvc.yaml"))
        for name, has in there[lock].items():
            if name not in stages:
                found.append(Mismatch(lock, name, "the stage", "is there", "not in dvc.yaml"))
                continue
            found += _unlike_declared(project, lock, name, has, stages[name])
            for path, entry in (*has.deps.items(), *has.outs.items()):
                found += _unlike_file(project, lock, (name, path), entry, outs)
        found += _other_bytes(project, lock)
    return found


def _unlike_declared(
    project: Path, lock: str, name: str, has: Stage, declared: DeclaredStage
) -> Iterator[Mismatch]:
    """Command, parameters, and the lists of what is read and written."""
    command = has.content.get("cmd")
    if command != declared.command:
        yield Mismatch(lock, name, "cmd", str(command), str(declared.command))
    for entries, paths in ((has.deps, declared.deps), (has.outs, declared.outs)):
        for path in sorted(set(entries).symmetric_difference(paths)):
            sides = ("in it", "not in dvc.yaml") if path in entries else ("missing", "in dvc.yaml")
            yield Mismatch(lock, name, path, *sides)
    said = has.params
    values = parse(project / "params.yaml") if declared.params else {}
    for key in sorted({*said, *declared.params}):
        value = "not asked for" if key not in declared.params else "missing"
        with suppress(LookupError):
            value = json.dumps(parameter(values, key)) if key in declared.params else value
        locked = json.dumps(said[key]) if key in said else "missing"
        if locked != value:
            yield Mismatch(lock, name, f"params.yaml: {key}", locked, value)


def _unlike_file(
    project: Path, lock: str, of: tuple[str, str], entry: Entry, outs: dict[str, str]
) -> Iterator[Mismatch]:
    """A file or folder that git tracks, that lies outside of the project, or that a stage wrote."""
    stage, path = of
    file = (project / lock).parent / path
    if file.exists():
        whole = files(file)
        size, many = sum(one.stat().st_size for one in whole), len(whole) if file.is_dir() else None
        there = Entry(md5(file) or "unreadable", size, many)
        for field, locked, committed in zip(Entry._fields, entry, there, strict=True):
            if locked != committed:
                what = path if field == "md5" else f"{path}: {field}"
                yield Mismatch(lock, stage, what, str(locked), str(committed))
                return
    elif (other := outs.get(from_the_top(lock, path), entry.md5)) != entry.md5:
        yield Mismatch(lock, stage, path, entry.md5, f"{other}, says the stage that writes it")


def _other_bytes(project: Path, lock: str) -> Iterator[Mismatch]:
    """A lock that DVC would write in other bytes: somebody else wrote it."""
    from dvc.utils.serialize import dumps_yaml

    file = project / lock
    if not file.exists():
        return
    there, written = file.read_text(encoding="utf-8"), dumps_yaml(parse(file))
    if there != written:
        pairs = enumerate(zip(there.splitlines(), written.splitlines(), strict=False), 1)
        line = next((number for number, (a, b) in pairs if a != b), "the last")
        yield Mismatch(lock, "", f"line {line}", "other bytes", "than DVC writes")


def unlike_their_checksums(folder: Path) -> list[str]:
    """Records of a folder that are not as their stage left them."""
    return [path.name for path in sorted(folder.glob("*.json")) if not is_whole(path)]


def edited_meanwhile(project: Path) -> list[str]:
    """Inputs that changed while their stage ran: read as one thing, hashed by DVC as another.

    A record of another run than the lock's, with other outputs, says nothing of it.
    """
    found = []
    for lock in LOCKS:
        for stage, record in read_all(project / "results/provenance").items():
            if not (of := locked(project / lock).stages.get(stage)):
                continue
            read, written = (
                {from_the_top(lock, path): entry.md5 for path, entry in entries.items()}
                for entries in (of.deps, of.outs)
            )
            if dict(record.outputs) == written:
                found += [
                    f"{stage}: {path}"
                    for path, md5_then in record.inputs.items()
                    if read.get(path, md5_then) != md5_then
                ]
    return found
