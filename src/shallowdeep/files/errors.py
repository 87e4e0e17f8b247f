"""Errors that a user can correct: one line on the terminal, never a traceback."""

import errno
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class InputError(Exception):
    """Wrong input; the message names the thing, the value and what is allowed.

    For example ``params.yaml: epochs: 0 is below 1``.
    """


@contextmanager
def one_line_errors(name: str) -> Iterator[None]:
    """Run the body of a command; report an error as one line on stderr that begins with `name`.

    The exit status is 1 after wrong input, a failing disk or too little memory, 128 + the signal's
    number after SIGINT, SIGTERM or SIGHUP. All unwind the stack, so that temporary files go.
    """
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)  # "loading"
    signal.signal(signal.SIGTERM, _exit_on_signal)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # nohup ignores it
        signal.signal(signal.SIGHUP, _exit_on_signal)
    try:
        yield
    except BrokenPipeError:
        sys.exit(128 + signal.SIGPIPE)  # the reader, for example `head`, has ended
    except Exception as error:
        if (line := user_message(error)) is None:
            raise
        sys.exit(f"{name}: {line}")
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def user_message(error: Exception) -> str | None:
    """Message about an error for the user; None for a defect of ours."""
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
    """True if memory, a device's memory or the address space has run out."""
    return isinstance(error, MemoryError) or any(
        text.lower() in str(error).lower() for text in _NO_MEMORY
    )


def _memory_is_short(error: BaseException) -> str:
    if isinstance(error, ImportError) or "failed to map segment" in str(error):
        return "memory is too short to load what it needs"
    # The rest of torch's messages is a page on its allocator, or on debugging CUDA.
    request = str(error).partition("\n")[0].partition(" GPU ")[0]
    return f"memory is too short: {one_line(request) or 'for a Python object'}"


def one_line(text: str) -> str:
    """Escape line breaks and other control characters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
