"""Nobody waits in silence: what a stage is doing, and how much of it is left."""

import io
import sys
import threading
from typing import Self, TextIO

from tqdm import tqdm

EVERY = 30.0  # seconds between lines where there is no terminal
BEAT = 1.0  # seconds after which a terminal shows that time passes

_FORMAT = "{desc}: {percentage:.0f} % of {total_fmt} {unit}, {remaining} left{postfix}"
_WITHOUT_END = "{desc}, for {elapsed}"

_stage, _silent = "", False


def be_silent() -> None:
    """Show no progress in this process: another one shows its own of the same work."""
    global _silent  # noqa: PLW0603
    _silent = True


def loading(stage: str) -> None:
    """Name the stage that all progress in this process is of, and show that it is loading."""
    global _stage  # noqa: PLW0603
    _stage = f"{stage}: "
    if sys.stderr.isatty():
        print(f"\r{_stage}loading", end="", file=sys.stderr, flush=True)


class _Lines(io.TextIOBase):
    """What tqdm writes over and over into one line of a terminal, as a line each."""

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
        what: is being done.
        total: how much there is of it; None where nobody can say.
        unit: what that counts; bytes are shown in kB, MB, GB.
        file: that is shown on, if it is not stderr.
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
            delay=0 if terminal else 1e-9,  # only then is nothing shown at the start
            miniters=1,  # epochs that come from a checkpoint all at once must not set the pace
            leave=False,
            disable=_silent,
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._show_that_time_passes, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._bar.close()

    def advance(self, count: int = 1) -> None:
        """So much more is done; called from any thread."""
        with self._lock:
            self._bar.update(count)

    def say(self, text: str) -> None:
        """Show words beside the figures, from now on."""
        self._bar.set_postfix_str(text, refresh=False)

    def now(self, what: str) -> None:
        """Something else is being done from now on."""
        self._bar.set_description_str(f"{_stage}{what}", refresh=self._beat == BEAT)

    def _show_that_time_passes(self) -> None:
        while not self._over.wait(self._beat):
            self._bar.refresh()
