"""A stage ends with the DVC that started it."""

import os
import signal
import threading
import time
from pathlib import Path

EVERY = 0.5  # seconds between two looks
SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "fish", "busybox"}  # what DVC runs a command with


def end_with_parent() -> None:
    """End this process, as SIGTERM does, when the DVC that runs it as a stage is gone.

    SIGKILL, SIGTERM or SIGHUP to DVC alone leaves its stage running. Linux can have the system send
    a signal then, but from the parent only, which may be a shell, and macOS cannot.
    """
    if "DVC_STAGE" not in os.environ:
        return  # by hand: whoever wants it to outlive his shell, may
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
    """Fields of /proc/PID/stat from the third on, which is its state; none on macOS."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def _parent_of(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _start_of(pid: int) -> str:
    """When a process began, in ticks; nothing once it has ended."""
    fields = _stat(pid)
    return fields[19] if fields and fields[0] not in "ZX" else ""


def _name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
