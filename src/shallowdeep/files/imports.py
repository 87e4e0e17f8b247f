"""Importing without looking for garbage: modules stay, and there are thousands of objects."""

import gc


def importing() -> None:
    """Collect no garbage for now: to go through all modules again and again takes 0.3 s."""
    gc.disable()


def imported() -> None:
    """What is imported by now stays: at its end Python looks through it no more, for 0.4 s."""
    gc.freeze()
    gc.enable()
