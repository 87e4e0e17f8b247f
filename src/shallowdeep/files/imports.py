"""Imports without garbage collection: modules stay, and have many thousands of objects."""

import gc
import os


def importing() -> None:
    """Stop garbage collection, which takes 0.3 s while the modules of a stage are imported.

    OpenBLAS gets one thread: others would spin for a while, and this package has its own threads.
    """
    gc.disable()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def imported() -> None:
    """Start garbage collection, except of the present objects: that takes 0.4 s at the end."""
    gc.freeze()
    gc.enable()
