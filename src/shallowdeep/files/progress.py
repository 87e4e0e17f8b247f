"""Progress of a stage: its present task, and the time left."""

import io
import sys
import threading
from typing import Self, TextIO

from tqdm import tqdm

EVERY = 30.0  # seconds between lines without a terminal
BEAT = 1.0  # seconds between updates on a terminal

_FORMAT = "{desc}: {percentage:.0f} % of {total_fmt} {unit}, {remaining} left{postfix}"
_WITHOUT_END = "{desc}, for {elapsed}"

_stage, _silent = "", False


def be_silent() -> None:
    """Switch progress off in this process: another one shows its own."""
    global _silent  # noqa: PLW0603
    _silent = True


def loading(stage: str) -> None:
    """Set the stage of all progress in this process, and show that it is loading."""
    global _stage  # noqa: PLW0603
    _stage = f"{stage}: "
    if sys.stderr.isatty():
        print(f"\r{_stage}loading", end="", file=sys.stderr, flush=True)


class _Lines(io.TextIOBase):
    """File that turns each update of tqdm into a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        if line := text.strip("\r "):
            self._file.write(f"{line}\n")
            self._file.flush()
        return len(text)


class Progress:
    """A bar with the time left while stderr is a terminal; elsewhere a line every 30 seconds.

    Args:
        what: the task.
        total: its units; None if unknown.
        unit: name of a unit; `B` is shown in kB, MB, GB.
        file: to write to, stderr by default.
    """

    def __init__(
        self, what: str, total: int | None = None, *, unit: str = "", file: TextIO | None = None
    ) -> None:
        file = file or sys.stderr
        terminal = file.isatty()
        self._beat = BEAT if terminal else EVERY
        lines = _FORMAT if total else _WITHOUT_END
        self._lock = threading.Lock()
        self._bar = tqdm(
            total=total,
            desc=f"{_stage}{what}",
            unit=unit if unit == "B" or not terminal else f" {unit}",
            unit_scale=unit == "B",
            bar_format=None if terminal and total else lines,
            file=file if terminal else _Lines(file),
            mininterval=0.1 if terminal else float("inf"),
            delay=0 if terminal else 1e-9,  # or a line is shown at the start
            miniters=1,  # epochs of a checkpoint arrive at once and must not set the pace
            leave=False,
            disable=_silent,
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._refresh, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._bar.close()

    def advance(self, count: int = 1) -> None:
        """Count units as done, from any thread."""
        with self._lock:
            self._bar.update(count)

    def say(self, text: str) -> None:
        """Set the text after the figures."""
        self._bar.set_postfix_str(text, refresh=False)

    def now(self, what: str) -> None:
        """Set the present task."""
        self._bar.set_description_str(f"{_stage}{what}", refresh=self._beat == BEAT)

    def _refresh(self) -> None:
        while not self._over.wait(self._beat):
            self._bar.refresh()
