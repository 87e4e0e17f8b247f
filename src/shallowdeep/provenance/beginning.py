"""What every stage does first, before it imports what takes seconds."""

from pathlib import Path

from shallowdeep.files.errors import end_in_silence, told_in_one_line
from shallowdeep.files.imports import importing
from shallowdeep.files.parent import end_with_parent
from shallowdeep.files.progress import loading
from shallowdeep.provenance.requirements import refuse_another_environment


def begin(stage: str, *, root: Path = Path()) -> None:
    """End with DVC, in silence on Ctrl-C; do not begin in another environment; say what is begun.

    Args:
        stage: its name, for messages.
        root: the project's folder, as seen from here.
    """
    with told_in_one_line(stage):
        end_with_parent()
        refuse_another_environment(root / "requirements.txt")
    end_in_silence(stage)
    loading(stage)
    importing()
