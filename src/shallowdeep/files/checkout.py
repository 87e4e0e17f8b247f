"""Where a checkout keeps what outlives a run."""

import time
from contextlib import suppress
from pathlib import Path

CHECKPOINTS = Path(".checkpoints")
KEPT = 7 * 86_400  # seconds for which the state of a stage that nobody takes up again stays


def project_root() -> Path:
    """The folder of the DVC project that the current folder is in; elsewhere the current one.

    DVC's own variable DVC_ROOT names the checkout that a temporary experiment was made from.
    """
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".dvc").is_dir()), here)


def made_from(folder: Path) -> Path:
    """The checkout that an experiment of DVC was made from; elsewhere the folder itself.

    `dvc exp run --temp` and DVC's queue run in .dvc/tmp/exps/... of that checkout, in a folder
    that goes with the run.
    """
    for parent in folder.resolve().parents:
        if parent.parts[-3:] == (".dvc", "tmp", "exps"):
            return parent.parents[2]
    return folder


def checkpoints() -> Path:
    """The folder where interrupted stages leave their states; old ones in it are removed.

    It is in the checkout, for an experiment of `--temp` or of DVC's queue in the one that it was
    made from: its own folder goes when it is interrupted. So other experiments' states lie here
    too, and may be wanted.
    """
    folder = made_from(Path()) / CHECKPOINTS
    for state in folder.glob("*"):
        with suppress(FileNotFoundError):  # another experiment is done with it
            if time.time() - state.stat().st_mtime > KEPT:
                state.unlink()
    return folder


def remove_checkpoints(name: str) -> None:
    """Remove the states whose files begin with this name, and what of them is left unfinished."""
    folder = made_from(Path()) / CHECKPOINTS
    for start in (name, f".{name}"):
        for path in folder.glob(f"{start}.*"):
            path.unlink(missing_ok=True)
    with suppress(OSError):  # there are others, or there is none
        folder.rmdir()
