"""Imports of libraries that take seconds."""

import gc
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Import quickly, and let Ctrl-C end the process at once: nothing is half-done yet.

    Without garbage collection, which takes 0.3 s among the modules of a stage and, at the end of
    the process, 0.4 s. OpenBLAS gets one thread: others would spin for a while, and this package
    has its own.
    """
    gc.disable()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    interrupts = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) == signal.default_int_handler
    )
    if interrupts:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        if interrupts:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        gc.freeze()
        gc.enable()
