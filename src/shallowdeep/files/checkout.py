"""Where a checkout keeps what outlives a run."""

from pathlib import Path


def made_from(folder: Path) -> Path:
    """The checkout that an experiment of DVC was made from; elsewhere the folder itself.

    `dvc exp run --temp` and DVC's queue run in .dvc/tmp/exps/... of that checkout, in a folder
    that goes with the run.
    """
    for parent in folder.resolve().parents:
        if parent.parts[-3:] == (".dvc", "tmp", "exps"):
            return parent.parents[2]
    return folder
