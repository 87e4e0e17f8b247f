"""dvc.lock: which parameters and files made what lies here."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from shallowdeep.files.errors import InputError
from shallowdeep.provenance.declared import parameter

_MISSING = object()


class Differing(NamedTuple):
    """A parameter that has another value now than when a stage ran."""

    key: str  # as `-S` takes it
    had: object
    has: object


class Stage(NamedTuple):
    """What one stage read and wrote."""

    params: Mapping[str, object]  # by their names in dvc.yaml
    deps: Mapping[str, str]  # md5 by path
    outs: Mapping[str, str]


class Lock(NamedTuple):
    """All of dvc.lock that is looked at here."""

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
        wrote = {path: md5 for one in self.stages.values() for path, md5 in one.outs.items()}
        return [
            (name, path)
            for name in stages
            for path, md5 in self.stages[name].deps.items()
            if wrote.get(path, md5) != md5
        ]


def parsed(content: Any, name: str) -> Lock:
    """Take a lock file apart.

    Args:
        content: as YAML has it.
        name: of the file, for messages.

    Raises:
        InputError: it is no lock file of DVC.
    """
    try:
        return Lock(
            {
                stage: Stage(
                    dict(one.get("params", {}).get("params.yaml", {})),
                    {entry["path"]: str(entry["md5"]) for entry in one.get("deps", [])},
                    {entry["path"]: str(entry["md5"]) for entry in one.get("outs", [])},
                )
                for stage, one in content["stages"].items()
            }
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        raise InputError(f"{name}: not as DVC writes it; `dvc repro` makes it anew") from None


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
