"""DVC's commands in this process, its stages called by their functions: 6 s become 1.5."""

import contextlib
import functools
import importlib.util
import io
import logging
import os
import pickle
import shlex
import signal
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import NamedTuple
from unittest.mock import patch

import dvc.cli
import dvc.stage.run
import dvc.ui
import dvc.utils.serialize._yaml
import dvc.utils.strictyaml
from checkouts import ROOT
from dvc.stage.exceptions import StageCmdFailedError

from shallowdeep.__main__ import main

_modules: dict[str, ModuleType] = {}
_cmd_run, _parse = dvc.stage.run.cmd_run, dvc.utils.serialize._yaml.parse_yaml


def dvc_main(folder: Path, *arguments: str, status: int | None = 0) -> str:
    """Run a command of DVC in a folder; return what it and its stages print.

    The stages are this checkout's: a test that edits a project's code runs DVC by `run`.
    """
    printed = io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        logs_to(printed),
        process_state_kept(),
        warnings.catch_warnings(action="ignore"),  # of DVC's packages
        patch.object(sys, "argv", ["dvc"]),  # DVC takes pytest's -q and -v for its own
        patch.object(dvc.stage.run, "cmd_run", call_stage),
        patch.object(dvc.utils.serialize._yaml, "parse_yaml", parse_yaml),
        patch.object(dvc.utils.strictyaml, "parse_yaml", parse_yaml),
        patch.object(dvc.ui, "disable_colorama", contextlib.nullcontext),  # swaps sys.stdout
    ):
        found = dvc.cli.main(list(arguments))
    text = printed.getvalue()
    assert (found == status) if status is not None else found, text
    return text


@functools.cache
def pickled(text, typ: str) -> bytes:
    """The content of a YAML text."""
    return pickle.dumps(_parse(text, "", typ))


def parse_yaml(text, path, typ="safe"):
    """Parse as DVC does, but each text once: one command parses dvc.yaml and dvc.lock 40 times."""
    try:
        return pickle.loads(pickled(text, typ)) if typ == "safe" else _parse(text, path, typ)
    except dvc.utils.serialize.YAMLFileCorruptedError:
        return _parse(text, path, typ)  # its message names the file


def call_stage(stage, dry=False, run_env=None) -> None:
    """Call the function of the stage's script, as DVC would run its command."""
    dvc.stage.run.logger.info("Running stage '%s':", stage.addressing)
    dvc.stage.run.display_command(stage.cmd)
    if dry:
        return
    launcher, python, *words = shlex.split(stage.cmd)
    if (Path(launcher).name, python) != ("run", "python"):
        _cmd_run(stage, run_env=run_env)
        return
    environment = dvc.stage.run.prepare_kwargs(stage, run_env=run_env)["env"]
    try:
        with contextlib.chdir(stage.wdir), patch.dict(os.environ, environment):
            if words[0] == "-m":
                importlib.import_module(words[1]).main(words[2:])
            else:
                getattr(script(words[0]), Path(words[0]).stem)(*words[1:])
    except SystemExit as end:
        if end.code:
            print(end.code, file=sys.stderr)
            raise StageCmdFailedError(stage.cmd, 1) from None


class Ended(NamedTuple):
    """A stage that has ended."""

    status: int
    out: str
    err: str  # with the line that it ends with


def call_alone(folder: Path, name: str, *arguments: str) -> Ended:
    """Call a stage's function in a folder, as `python stages/NAME.py` would, without DVC."""
    out, err, status = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        process_state_kept(),
    ):
        try:
            getattr(script(f"stages/{name}.py"), name)(*arguments)
        except SystemExit as end:
            status = 1 if isinstance(end.code, str) else int(end.code or 0)
            print(end.code, file=err)
    return Ended(status, out.getvalue(), err.getvalue())


def told(*words: str) -> str:
    """The line, or the status, with which a command of ours ends; nothing if it succeeds."""
    with process_state_kept():
        try:
            main(words)
        except SystemExit as ended:
            return str(ended.code)
    return ""


def script(name: str) -> ModuleType:
    """A module of stages/."""
    if name not in _modules:
        spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / name)
        assert spec and spec.loader
        _modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(_modules[name])
    return _modules[name]


@contextlib.contextmanager
def logs_to(stream: io.StringIO):
    """DVC's log handlers write to the streams that there were at its import."""
    handlers = [
        handler
        for name in ("dvc", "dvc_objects", "dvc_data")
        for handler in logging.getLogger(name).handlers
        if isinstance(handler, logging.StreamHandler)
    ]
    before = [handler.setStream(stream) for handler in handlers]
    try:
        yield
    finally:
        for handler, old in zip(handlers, before, strict=True):
            handler.setStream(old or sys.stderr)


@contextlib.contextmanager
def process_state_kept():
    """Signal handlers and the hook for exceptions are a stage's own; the tests get theirs back."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers, hook = {number: signal.getsignal(number) for number in numbers}, sys.excepthook
    try:
        yield
    finally:
        sys.excepthook = hook
        for number, handler in handlers.items():
            signal.signal(number, handler)
