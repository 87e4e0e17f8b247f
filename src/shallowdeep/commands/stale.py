"""Staleness: parameters that are not those of results, models that are not the project's.

The model and its project may be from a stranger: little is read, nothing outside the project, and
within a second of processor time.
"""

import hashlib
import os
import reprlib
import signal
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shallowdeep.commands.known import NOTHING, Known, known
from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse_bytes

LOCK, PARAMS = "dvc.lock", "params.yaml"
SHOWN = 3  # parameters that a message names
LARGEST = 2**20  # bytes of either; those of a thousand networks
SECONDS = 1.0  # of a processor, for both; a lock of four networks takes a twentieth


class _TooLongError(BaseException):
    """The time is up; no `except Exception` may catch it."""


def differences(had: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """Describe parameters that differ from those of the results; empty if none does.

    Args:
        had: values of the results, by key as in dvc.lock.
        params: present content of params.yaml.
    """
    from dvc.utils.flatten import flatten

    old, below = flatten(had), tuple(f"{key}." for key in had)
    new = {key: now for key, now in flatten(params).items() if key in had or key.startswith(below)}
    other = [key for key in {**old, **new} if not _same(old.get(key), new.get(key))]
    if not other:
        return ""
    before = ", ".join(f"{key} {_text(old.get(key))}" for key in other[:SHOWN])
    more = f" and {len(other) - SHOWN} more" if len(other) > SHOWN else ""
    now = ", ".join(_text(new.get(key)) for key in other[:SHOWN])
    return f"these results are of {before}{more}, not {now}"


def locked_differences(lock: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """Describe the first parameters of a dvc.lock that differ from a params.yaml; empty if none."""
    stages = lock["stages"].values()
    found = (differences(one.get("params", {}).get(PARAMS, {}), content) for one in stages)
    return next(filter(None, found), "")


def _same(had: object, has: object) -> bool:
    """Compare values of YAML, whose aliases can make lists of any size: no signal interrupts ==."""
    if isinstance(had, list) and isinstance(has, list) and len(had) == len(has):
        return all(_same(a, b) for a, b in zip(had, has, strict=True))
    return had == has


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "nothing" if value is None else reprlib.repr(value)


def check_model(path: Path) -> Known:
    """Refuse a stale model. A model that no dvc.lock names is accepted.

    Returns:
        What the project knows of it.

    Raises:
        InputError: dvc.lock names another file, or params.yaml has other parameters.
    """
    file = path.absolute()
    root = next((one for one in file.parents if (one / LOCK).exists()), None)
    if root is None:
        return NOTHING
    name = file.relative_to(root).as_posix()
    try:
        with _bounded():
            lock = _read(root / LOCK)
            outputs = {
                out["path"]: (out["md5"], stage)
                for stage in lock["stages"].values()
                for out in stage.get("outs", [])
            }
            if name not in outputs:
                return NOTHING
            md5, stage = outputs[name]
            other = differences(stage.get("params", {}).get(PARAMS, {}), _read(root / PARAMS))
    except _TooLongError:
        raise InputError(f"{path}: its project's {LOCK} takes too long to read") from None
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
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


def _read(path: Path) -> Any:
    """Content of a small, ordinary YAML file, which is no link."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
            raise InputError(f"{path}: no ordinary file of at most {LARGEST:,} bytes")
        return parse_bytes(file.read(LARGEST), str(path))


@contextmanager
def _bounded() -> Iterator[None]:
    """Raise _TooLongError once the body has taken SECONDS of a processor."""

    def stop(*_: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
