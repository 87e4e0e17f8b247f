"""New folder with one subfolder per class, the input of `prepare`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shallowdeep.files.atomic import replacing
from shallowdeep.files.errors import InputError

CLASSES = ("cat", "dog")


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
