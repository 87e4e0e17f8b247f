"""Decorator of the functions in stages/: what every stage needs around its body."""

import functools
import os
from collections.abc import Callable
from typing import Any

from shallowdeep.files.arithmetic import pin_arithmetic
from shallowdeep.files.checkout import project_root
from shallowdeep.files.errors import one_line_errors
from shallowdeep.files.imports import importing
from shallowdeep.files.parent import end_with_parent
from shallowdeep.files.progress import loading
from shallowdeep.provenance.dvc_stage import DvcStage
from shallowdeep.provenance.records import Run
from shallowdeep.provenance.requirements import refuse_another_environment


def stage(
    label: str, *, first: Callable[..., None] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a stage of the pipeline.

    It ends with the DVC that runs it, refuses another environment than requirements.txt, computes
    the same bits on every processor with AVX2, turns errors and Ctrl-C into one line, and leaves a
    record. The body imports what takes seconds, so that all of this is in place before.

    Args:
        label: name in messages, with `{}` for an argument.
        first: called with the arguments before anything is read; it may end the process.

    Returns:
        A decorator. The body's first argument is its `Run`; callers leave it out.
    """

    def decorate(body: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(body)
        def wrapped(*args: Any, **kwargs: Any) -> None:
            name = label.format(*args)
            with one_line_errors(name):
                end_with_parent()
                refuse_another_environment(project_root() / "requirements.txt")
                if first:
                    first(*args, **kwargs)
                pin_arithmetic()
                loading(name)
                with importing():  # DVC, where it runs the stage
                    by_dvc = os.environ.get("DVC_STAGE")
                    run = Run(DvcStage(by_dvc, project_root()) if by_dvc else None)
                body(run, *args, **kwargs)
                run.finish()

        return wrapped

    return decorate
