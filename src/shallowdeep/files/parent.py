"""End a stage with the DVC process that started it."""

import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

EVERY = 0.5  # seconds between two checks
AGAIN = 10.0  # seconds to a further signal: Python drops an exception in a destructor or a callback
SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "fish", "busybox"}  # what DVC runs a command with


def end_with_parent() -> None:
    """Send SIGTERM to this process once the DVC process that runs it as a stage has ended.

    SIGKILL, SIGTERM or SIGHUP to DVC alone leaves its stage running. The system's own signal for
    that (Linux only) is about the parent alone, which may be a shell.
    """
    if "DVC_STAGE" not in os.environ:
        return  # started by hand, it may outlive its shell
    shells, parent = [], os.getppid()
    while (about := _stat(parent)) and about[0] in SHELLS and int(about[2]):
        shells.append(parent)
        parent = int(about[2])
    nearest, *others = [*shells, parent]
    started = {pid: _start_of(pid) for pid in others}  # now: a thread may begin late
    threading.Thread(target=_watch, args=(nearest, started), daemon=True).start()


def _watch(parent: int, started: Mapping[int, str]) -> None:
    """End this process once its parent, or one above it by its start, has ended."""
    while os.getppid() == parent and all(
        _start_of(pid) == start != "" for pid, start in started.items()
    ):
        time.sleep(EVERY)
    while True:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(AGAIN)


def _stat(pid: int) -> list[str]:
    """Name, state, parent and so on of /proc/PID/stat; none on macOS."""
    try:
        name, _, others = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")
    except OSError:
        return []
    return [name.partition("(")[2], *others.split()]


def _start_of(pid: int) -> str:
    """Start of a process in ticks; empty once it has ended."""
    about = _stat(pid)
    return about[20] if about and about[1] not in "ZX" else ""
