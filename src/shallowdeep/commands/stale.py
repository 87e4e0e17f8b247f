"""Staleness: parameters that differ from those of results, and models that are not the project's.

The model and the project around it may be anybody's: little is read, within a second of a
processor, nothing outside of the project.
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

from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse_bytes

LOCK, PARAMS = "dvc.lock", "params.yaml"
LARGEST = 2**20  # bytes of either; those of a thousand networks
SECONDS = 1.0  # of a processor, for both; a lock of four networks takes a twentieth
SHOWN = 3  # parameters that a message names

Differences = dict[str, tuple[Any, Any]]  # value of the results and present value, by name for `-S`


class _TooLongError(BaseException):
    """Nothing that expects errors may catch it."""


def differences(key: str, had: Any, has: Any) -> Differences:
    """Values below a parameter that differ."""
    if isinstance(had, Mapping) and isinstance(has, Mapping):
        found = {}
        for part in {**had, **has}:
            found.update(differences(f"{key}.{part}", had.get(part), has.get(part)))
        return found
    if isinstance(had, list) and isinstance(has, list) and len(had) == len(has):
        # Not by ==, which no signal interrupts: YAML's aliases can make lists of any size.
        same = not any(differences(key, a, b) for a, b in zip(had, has, strict=True))
        return {} if same else {key: (had, has)}
    return {key: (had, has)} if had != has else {}


def message(pairs: Differences) -> str:
    """Parameters of the results, and the present ones."""
    shown = list(pairs)[:SHOWN]
    more = f" and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    had = ", ".join(f"{key} {_text(pairs[key][0])}" for key in shown)
    has = ", ".join(_text(pairs[key][1]) for key in shown)
    return f"these results are of {had}{more}, not {has}"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "nothing" if value is None else reprlib.repr(value)


def check_model(path: Path) -> None:
    """Refuse a stale model. One that no project's dvc.lock names is as it should be.

    Args:
        path: of a model file of bounded size.

    Raises:
        InputError: dvc.lock names another file, or params.yaml has other parameters.
    """
    file = path.absolute()
    root = next((one for one in file.parents if (one / LOCK).exists()), None)
    if root is None:
        return
    name = file.relative_to(root).as_posix()
    try:
        with _bounded():
            md5, other = _locked(root, name)
    except _TooLongError:
        raise InputError(f"{path}: its project's {LOCK} takes too long to read") from None
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
        raise InputError(f"{root / LOCK}: not as DVC writes it") from None
    if md5 is None:
        return
    with path.open("rb") as content:
        if hashlib.file_digest(content, "md5").hexdigest() != md5:
            raise InputError(
                f"{path}: is not the one that {LOCK} names; to bring that back: `dvc checkout"
                f" --force {name}`, or `dvc repro`"
            )
    if other:
        raise InputError(f"{path}: {message(other)}; to make results anew: `dvc repro`")


def _locked(root: Path, name: str) -> tuple[str | None, Differences]:
    """A model's hash by dvc.lock, and parameters that are others in params.yaml."""
    for stage in (_read(root / LOCK) or {}).get("stages", {}).values():
        if name in (outs := {out["path"]: out["md5"] for out in stage.get("outs", [])}):
            content, other = _read(root / PARAMS), {}
            for key, had in stage.get("params", {}).get(PARAMS, {}).items():
                has = content
                for part in key.split("."):
                    has = has.get(part) if isinstance(has, Mapping) else None
                other.update(differences(key, had, has))
            return str(outs[name]), other
    return None, {}


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
