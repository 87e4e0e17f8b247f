"""What a dvc.yaml says of its stages."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse


class Stage(NamedTuple):
    """One stage as dvc.yaml declares it; paths are relative to that file."""

    command: str | list[str]
    deps: list[str]
    params: list[str]  # keys of params.yaml
    outs: list[str]  # metrics and plots among them


def declared_stages(folder: Path) -> dict[str, Stage]:
    """The stages of a folder's dvc.yaml, by name, with the values of its params.yaml filled in.

    Raises:
        InputError: there is no dvc.yaml, or it holds no stages of this project's form.
    """
    file = folder / "dvc.yaml"
    params = parse(folder / "params.yaml") if (folder / "params.yaml").exists() else {}
    try:
        return {
            name: Stage(
                command=content["cmd"],
                deps=[_filled(str(dep), params) for dep in _names(content.get("deps", []))],
                params=_names(content.get("params", [])),
                outs=[
                    _filled(path, params)
                    for kind in ("outs", "metrics", "plots")
                    for path in _names(content.get(kind, []))
                ],
            )
            for name, content in parse(file)["stages"].items()
        }
    except (LookupError, TypeError, AttributeError):
        raise InputError(f"{file}: has no stages with a `cmd`") from None


def _names(entries: list[Any]) -> list[str]:
    """Of a list, in which an entry may be a mapping from a name to options."""
    return [name for entry in entries for name in (entry if isinstance(entry, dict) else [entry])]


def _filled(text: str, params: Any) -> str:
    """`text` with ${key} replaced; as it is where there is no such parameter."""

    def value(found: re.Match[str]) -> str:
        try:
            return str(parameter(params, found[1]))
        except LookupError:
            return found[0]

    return re.sub(r"\$\{([\w.]+)\}", value, text)


def parameter(params: Any, key: str) -> Any:
    """A value of params.yaml by its dotted key.

    Raises:
        LookupError: there is none.
    """
    for part in key.split("."):
        if not isinstance(params, Mapping):
            raise KeyError(key)
        params = params[part]
    return params
