"""New folder with one subfolder per class, the input of `prepare`."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shallowdeep.files.atomic import replacing, write_text
from shallowdeep.files.errors import InputError
from shallowdeep.provenance.records import Run

CLASSES = ("cat", "dog")
NOTE = "README"


def is_to_make(run: Run, folder: Path) -> bool:
    """Return False if DVC runs the stage of a data set that only `evaluate` depends on.

    Others do if params.yaml's data.dir names it, or another data set is made of it. If not, its
    folder gets a note: DVC's `commit`, `exp save` and `status` want every output there.
    """
    if run.stage is None:
        return True
    stages = run.stage.repo.index.stages  # a .dvc file is a stage without a name
    others = [one for one in stages if getattr(one, "name", "") != "evaluate"]
    deps = [Path(dep.fs_path) for one in others for dep in one.deps]
    if any(dep.is_relative_to(os.path.realpath(folder)) for dep in deps):
        return True
    write_text(folder / NOTE, "Not made, since data.dir in params.yaml does not name it.\n")
    return False


@contextmanager
def new_class_folders(folder: Path, classes: Sequence[str] = CLASSES) -> Iterator[Path]:
    """Give a scratch folder with one subfolder per class, and rename it to `folder` at the end.

    Raises:
        InputError: `folder` exists and is not empty; pictures are never overwritten.
    """
    folder = folder.resolve()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"{folder}: is there already; name a new or an empty folder")
    with replacing(folder) as new:
        for name in classes:
            (new / name).mkdir(parents=True)
        yield new
