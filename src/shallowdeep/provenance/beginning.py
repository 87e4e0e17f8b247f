"""What every stage does first, before it imports what takes seconds."""

from collections.abc import Callable
from pathlib import Path

from shallowdeep.files.errors import end_in_silence, told_in_one_line
from shallowdeep.files.imports import importing
from shallowdeep.files.parent import end_with_parent
from shallowdeep.files.progress import loading
from shallowdeep.provenance.requirements import refuse_another_environment


def begin(stage: str, *, root: Path = Path(), first: Callable[[], None] = lambda: None) -> None:
    """End with DVC, in silence on Ctrl-C; do not begin in another environment; say what is begun.

    Args:
        stage: its name, for messages.
        root: the project's folder, as seen from here.
        first: what the stage does before it imports the rest; it may end the process.
    """
    with told_in_one_line(stage):
        end_with_parent()
        refuse_another_environment(root / "requirements.txt")
        first()
    end_in_silence(stage)
    loading(stage)
    importing()
