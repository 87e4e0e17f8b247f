"""Importing without looking for garbage: modules stay, and there are thousands of objects."""

import gc
import os


def importing() -> None:
    """Collect no garbage for now: to go through all modules again and again takes 0.3 s.

    OpenBLAS starts no threads either, which spin for a while: all that we compute, we compute on
    one thread, or on threads of our own.
    """
    gc.disable()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def imported() -> None:
    """What is imported by now stays: at its end Python looks through it no more, for 0.4 s."""
    gc.freeze()
    gc.enable()
