"""Progress: a bar on a terminal, lines elsewhere."""

import contextlib
import io
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time

import pytest
from checkouts import with_environment

from shallowdeep.files import progress
from shallowdeep.files.progress import Progress


@pytest.fixture(autouse=True)
def no_stage(monkeypatch):
    """A stage that another test has called in this process leaves its name."""
    monkeypatch.setattr(progress, "_stage", "")


def shown(file, *, wait=0.3):
    with Progress("training", 100, unit="batches", file=file) as bar:
        bar.advance(50)
        for _ in range(2):
            time.sleep(0.15)
            bar.advance()
        bar.say("training loss 0.6000")
        time.sleep(wait)
    return file.getvalue()


def test_a_terminal_shows_the_work_done_and_the_time_left(monkeypatch):
    """Also after many units at once from a checkpoint."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(progress, "BEAT", 0.1)
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    output = shown(terminal)
    assert re.search(r"training:  52%.*52/100 \[\d\d:\d\d<\d\d:\d\d.*training loss 0\.6000", output)


def test_a_log_gets_a_line_now_and_then(monkeypatch):
    """Whole lines, each with the time left; none before its time."""
    monkeypatch.setattr(progress, "EVERY", 0.2)
    lines = shown(io.StringIO()).splitlines()
    assert len(lines) >= 2
    line = r"training: \d+ % of 100 batches, \d\d:\d\d left(, training loss 0\.6000)?"
    assert all(re.fullmatch(line, one) for one in lines), lines
    monkeypatch.setattr(progress, "EVERY", 30.0)
    assert shown(io.StringIO(), wait=0) == ""


def test_a_task_without_a_total_shows_the_time(monkeypatch):
    """And the present task."""
    monkeypatch.setattr(progress, "EVERY", 0.2)
    log = io.StringIO()
    with Progress("reading", file=log) as doing:
        doing.now("writing")
        for task in ("reading", "drawing"):
            doing.now(task)
            time.sleep(0.3)
    lines = [re.sub(r"\d\d:\d\d$", "a while", line) for line in log.getvalue().splitlines()]
    assert list(dict.fromkeys(lines)) == ["reading, for a while", "drawing, for a while"]


@pytest.mark.parametrize(
    ("stage", "command", "task"),
    [
        ("prepare", ["prepare.py"], "decoding"),
        ("train-deep", ["train.py", "deep"], "training"),
        ("evaluate", ["evaluate.py"], "drawing"),
    ],
)
def test_a_stage_shows_its_tasks(project, stage, command, task):
    """On a real terminal: first that it is loading, then each task, after its name."""
    with_environment(project)
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 100))
    environment = {"PATH": f"{project}/.venv/bin:{os.environ['PATH']}", "DVC_STAGE": stage}
    process = subprocess.Popen(
        [sys.executable, f"stages/{command[0]}", *command[1:]],
        cwd=project,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    output = b""
    with contextlib.suppress(OSError):  # Linux's answer once nobody writes any more
        while select.select([controller], [], [], 60)[0]:
            output += os.read(controller, 4096)
    os.close(controller)
    assert process.wait() == 0, output
    places = [output.find(f"{stage}: {what}".encode()) for what in ("loading", "hashing", task)]
    assert -1 not in places and places == sorted(places), output
