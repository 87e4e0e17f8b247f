"""End a stage with the DVC process that started it."""

import os
import signal
import threading
import time
from pathlib import Path

EVERY = 0.5  # seconds between two checks
SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "fish", "busybox"}  # what DVC runs a command with


def end_with_parent() -> None:
    """Send SIGTERM to this process once the DVC process that runs it as a stage has ended.

    SIGKILL, SIGTERM or SIGHUP to DVC alone leaves its stage running. The system's own signal for
    that (Linux only) is about the parent alone, which may be a shell.
    """
    if "DVC_STAGE" not in os.environ:
        return  # started by hand, it may outlive its shell
    shells, parent = [], os.getppid()
    while (above := _parent_of(parent)) and _name_of(parent) in SHELLS:
        shells.append(parent)
        parent = above
    threading.Thread(target=_watch, args=([*shells, parent],), daemon=True).start()


def _watch(ancestors: list[int]) -> None:
    nearest, *others = ancestors
    started = {pid: _start_of(pid) for pid in others}
    while os.getppid() == nearest and all(_start_of(pid) == started[pid] for pid in others):
        time.sleep(EVERY)
    os.kill(os.getpid(), signal.SIGTERM)


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third, the state, on; none on macOS."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _parent_of(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _start_of(pid: int) -> str:
    """Start of a process in ticks; empty once it has ended."""
    fields = _stat(pid)
    return fields[19] if fields and fields[0] not in "ZX" else ""


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
