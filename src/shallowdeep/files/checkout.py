"""Folders of a checkout that outlive a run: its checkpoints."""

import time
from contextlib import suppress
from pathlib import Path

CHECKPOINTS = Path(".checkpoints")
KEPT = 7 * 86_400  # seconds after which an unused checkpoint is removed


def project_root() -> Path:
    """The folder of the DVC project that the current folder is in; elsewhere the current one.

    DVC's own variable DVC_ROOT names the checkout that a temporary experiment was made from.
    """
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".dvc").is_dir()), here)


def original_checkout(folder: Path) -> Path:
    """Main checkout of a DVC experiment in a temporary folder; elsewhere the folder itself.

    `dvc exp run --temp` and DVC's queue run in .dvc/tmp/exps/... of the main checkout, in a folder
    that is removed after the run.
    """
    for parent in folder.resolve().parents:
        if parent.parts[-3:] == (".dvc", "tmp", "exps"):
            return parent.parents[2]
    return folder


def checkpoints() -> Path:
    """Folder of the checkpoints, in the main checkout; old ones in it are removed.

    Other experiments keep their checkpoints here too: an interrupted experiment loses its own
    folder.
    """
    folder = original_checkout(Path()) / CHECKPOINTS
    for checkpoint in folder.glob("*"):
        with suppress(FileNotFoundError):  # another experiment has removed it
            if time.time() - checkpoint.stat().st_mtime > KEPT:
                checkpoint.unlink()
    return folder


def remove_checkpoints(name: str) -> None:
    """Remove the checkpoints of this name, unfinished ones too."""
    folder = original_checkout(Path()) / CHECKPOINTS
    for start in (name, f".{name}"):
        for path in folder.glob(f"{start}.*"):
            path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or missing
        folder.rmdir()
