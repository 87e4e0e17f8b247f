"""Staleness: parameters that are not those of results, models that are not the project's."""

import hashlib
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shallowdeep.commands.known import NOTHING, Known, known
from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse

LOCK, PARAMS = "dvc.lock", "params.yaml"
SHOWN = 3  # parameters that a message names


def differences(had: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """Message on parameters that are others now; empty if there is none.

    Args:
        had: values of the results, by key as in dvc.lock.
        params: present content of params.yaml.
    """
    from dvc.utils.flatten import flatten

    old, below = flatten(had), tuple(f"{key}." for key in had)
    new = {key: now for key, now in flatten(params).items() if key in had or key.startswith(below)}
    other = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if not other:
        return ""
    before = ", ".join(f"{key} {_text(old.get(key))}" for key in other[:SHOWN])
    more = f" and {len(other) - SHOWN} more" if len(other) > SHOWN else ""
    now = ", ".join(_text(new.get(key)) for key in other[:SHOWN])
    return f"these results are of {before}{more}, not {now}"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "nothing" if value is None else reprlib.repr(value)


def check_model(path: Path) -> Known:
    """Refuse a stale model. One that no project's dvc.lock names is as it should be.

    Returns:
        What the project knows of it.

    Raises:
        InputError: dvc.lock names another file, or params.yaml has other parameters.
    """
    file = path.absolute()
    root = next((one for one in file.parents if (one / LOCK).is_file()), None)
    if root is None:
        return NOTHING
    name = file.relative_to(root).as_posix()
    try:
        lock = parse(root / LOCK)
        stages = lock["stages"].values()
        made = {
            out["path"]: (out["md5"], stage) for stage in stages for out in stage.get("outs", [])
        }
        if name not in made:
            return NOTHING
        md5, stage = made[name]
        other = differences(stage.get("params", {}).get(PARAMS, {}), parse(root / PARAMS))
    except (AttributeError, LookupError, TypeError, ValueError):
        raise InputError(f"{root / LOCK}: not as DVC writes it") from None
    with path.open("rb") as content:
        if hashlib.file_digest(content, "md5").hexdigest() != md5:
            raise InputError(
                f"{path}: is not the one that {LOCK} names; to bring that back: `dvc checkout"
                f" --force {name}`, or `dvc repro`"
            )
    if other:
        raise InputError(f"{path}: {other}; to make results anew: `dvc repro`")
    try:
        return known(root, file.parent.name, lock)
    except (AttributeError, LookupError, OSError, TypeError, ValueError):
        return NOTHING
