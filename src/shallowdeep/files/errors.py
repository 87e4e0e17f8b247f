"""Mistakes that a user can mend: one line on the terminal, never a traceback."""

import errno
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType


class InputError(Exception):
    """Something given to the program is wrong.

    The message names the thing, the value and what is allowed, for example
    ``params.yaml: epochs: 0 is below 1``.
    """


def end_in_silence(name: str) -> None:
    """Let Ctrl-C end the process without a traceback until `told_in_one_line` begins.

    For the seconds in which a command imports what it needs; where memory is too short for that,
    one line says so.

    Args:
        name: what the line starts with: the stage's or command's name.
    """
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:  # not where it is ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if _is_for_memory(error):
            print(f"{name}: {_memory_is_short(error)}", file=sys.stderr)
        else:
            sys.__excepthook__(kind, error, trace)

    sys.excepthook = told


@contextmanager
def told_in_one_line(name: str) -> Iterator[None]:
    """Run a command's body; end with one line on stderr where it cannot go on.

    Exit status 1 after wrong input, a failing disk or too little memory, 128 + signal number after
    SIGINT, SIGTERM or SIGHUP. These unwind the stack as Ctrl-C does, so that temporary files go.

    Args:
        name: what the line starts with: the stage's or command's name.
    """
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # what stood there while it loaded
    signal.signal(signal.SIGTERM, _exit_on_signal)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # nohup ignores it
        signal.signal(signal.SIGHUP, _exit_on_signal)
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except BrokenPipeError:
        sys.exit(128 + signal.SIGPIPE)  # the reader, `head` for example, has seen enough
    except Exception as error:
        if (line := line_of(error)) is None:
            raise
        sys.exit(f"{name}: {line}")
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def line_of(error: Exception) -> str | None:
    """What a user is told of an error; None where it is a defect of ours, which he cannot mend."""
    if isinstance(error, InputError):
        return one_line(str(error))
    if isinstance(error, OSError | MemoryError | RuntimeError | ImportError):
        if _is_for_memory(error):
            return _memory_is_short(error)
        if isinstance(error, OSError) and error.errno not in (None, errno.EFAULT):
            where = f": {error.filename}" if error.filename else ""
            return one_line(f"{error.strerror}{where}")
    return None


_NO_MEMORY = (
    *("out of memory", "can't allocate memory", "STATUS_ALLOC_FAILED"),  # torch's RuntimeErrors
    *("failed to map segment", "cannot allocate memory"),  # of a library that is imported
    "can't start new thread",
)


def _is_for_memory(error: BaseException) -> bool:
    """Whether memory, the device's or that of addresses too, has run out."""
    return isinstance(error, MemoryError) or any(
        words.lower() in str(error).lower() for words in _NO_MEMORY
    )


def _memory_is_short(error: BaseException) -> str:
    if isinstance(error, ImportError) or "failed to map segment" in str(error):
        return "memory is too short to load what it needs"
    # What follows in torch's messages is a page on how it allocates, or how to debug CUDA.
    asked = str(error).partition("\n")[0].partition(" GPU ")[0]
    return f"memory is too short: {one_line(asked) or 'for a Python object'}"


def one_line(text: str) -> str:
    """Show line breaks and other control characters of `text` as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
