"""dvc.lock: which parameters and files made what lies here."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse
from shallowdeep.provenance.declared import parameter

LOCKS = ("dvc.lock", "data/dvc.lock")  # of the pipeline, and of the data sets
_MISSING = object()


class Differing(NamedTuple):
    """A parameter that has another value now than when a stage ran."""

    key: str  # as `-S` takes it
    had: object
    has: object


class Entry(NamedTuple):
    """What a stage read or wrote."""

    md5: str
    size: int | None
    nfiles: int | None  # of a folder


class Stage(NamedTuple):
    """What a lock file says of one stage."""

    content: Mapping[str, Any]  # all of it

    @property
    def params(self) -> Mapping[str, object]:
        """By their names in dvc.yaml."""
        return dict(self.content.get("params", {}).get("params.yaml", {}))

    @property
    def deps(self) -> Mapping[str, Entry]:
        """What it read, by path."""
        return self._entries("deps")

    @property
    def outs(self) -> Mapping[str, Entry]:
        """What it wrote, by path."""
        return self._entries("outs")

    def _entries(self, kind: str) -> dict[str, Entry]:
        return {
            one["path"]: Entry(one.get("md5", "none"), one.get("size"), one.get("nfiles"))
            for one in self.content.get(kind, [])
        }


class Lock(NamedTuple):
    """A whole lock file."""

    stages: Mapping[str, Stage]

    def makers(self, stage: str) -> list[str]:
        """A stage and those whose outputs it read, back to the data set; `prepare` comes first."""
        of_output = {path: name for name, one in self.stages.items() for path in one.outs}
        found: dict[str, None] = {}

        def add(name: str) -> None:
            for path in self.stages[name].deps:
                if (maker := of_output.get(path)) and maker not in found:
                    add(maker)
            found[name] = None

        add(stage)
        return list(found)

    def differing(self, stages: list[str], params: object) -> list[Differing]:
        """Parameters that have other values in params.yaml than these stages ran with."""
        found: dict[str, Differing] = {}
        for name in stages:
            for key, had in self.stages[name].params.items():
                for one in _differing(key, had, _now(params, key)):
                    found[one.key] = one
        return list(found.values())

    def outdated(self, stages: list[str]) -> list[tuple[str, str]]:
        """Stages and what they read that is another file now, by what its own stage wrote."""
        wrote = {path: out.md5 for one in self.stages.values() for path, out in one.outs.items()}
        return [
            (name, path)
            for name in stages
            for path, dep in self.stages[name].deps.items()
            if wrote.get(path, dep.md5) != dep.md5
        ]


def parsed(content: Any, name: str) -> Lock:
    """Take a lock file apart.

    Args:
        content: as YAML has it.
        name: of the file, for messages.

    Raises:
        InputError: it is no lock file of DVC.
    """
    import voluptuous
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA

    try:
        stages = COMPILED_LOCKFILE_SCHEMA(content).get("stages", {})
    except voluptuous.Error:
        raise InputError(f"{name}: not as DVC writes it; `dvc repro` makes it anew") from None
    return Lock({stage: Stage(one) for stage, one in stages.items()})


def locked(file: Path) -> Lock:
    """Read a lock file; one that is not there has no stages.

    Raises:
        InputError: it is no lock file of DVC.
    """
    return parsed(parse(file), file.name) if file.exists() else Lock({})


def hashes(entries: Mapping[str, Entry]) -> dict[str, str]:
    """The md5 of each dependency or output, by path."""
    return {path: entry.md5 for path, entry in entries.items()}


def from_the_top(lock: str, path: str) -> str:
    """A path as a lock file has it, seen from the project's folder."""
    return os.path.normpath(Path(lock).parent / path)


def _now(params: object, key: str) -> object:
    try:
        return parameter(params, key)
    except LookupError:
        return _MISSING


def _differing(key: str, had: object, has: object) -> Iterator[Differing]:
    if isinstance(had, Mapping) and isinstance(has, Mapping):
        for part in {**had, **has}:
            yield from _differing(f"{key}.{part}", had.get(part, _MISSING), has.get(part, _MISSING))
    elif had != has:
        yield Differing(key, *("nothing" if v in (None, _MISSING) else v for v in (had, has)))
