"""The choice of the solver: over pixels (primal) or over the Gram matrix (dual)."""

from typing import Literal

from shallowdeep.files.errors import InputError
from shallowdeep.settings.params import Params

GRAM_LIMIT = 4 * 2**30  # bytes; the matrix stays in memory while a network trains

# Nanoseconds of one core, measured (docs/decisions.md); only their ratios matter.
PRODUCT = 0.05  # of the Gram matrix: two numbers multiplied and added
STEP, PIXEL = 12_000, 1.8  # primal: for a picture that a run trains on, and for each of its numbers
OUTPUT = 1.3  # dual: for each picture whose output moves when a run trains on one
NETWORKS, EPOCHS = 2, 10  # assumed: with the real numbers a further network would change `prepare`

LONG = 3_600  # seconds on one core


def choose(params: Params, pictures: int) -> Literal["primal", "dual"]:
    """Choose a solver.

    Args:
        params: has the wanted one; `auto` takes dual if its matrix is within the limit and costs
            less than it saves both networks in ten epochs of all runs of all folds.
        pictures: number of pictures, N.

    Raises:
        InputError: `dual` is wanted and its matrix would be over the limit.
    """
    if params.solver == "primal":
        return "primal"
    needed = 4 * pictures**2
    if params.solver == "dual" and needed > GRAM_LIMIT:
        raise InputError(
            f"params.yaml: solver: dual needs a Gram matrix of {needed / 2**30:.1f} GiB for"
            f" {pictures:,} pictures, at most {GRAM_LIMIT / 2**30:.0f} GiB are allowed; take primal"
        )
    numbers = 3 * params.data.size**2
    saved = _primal(params, NETWORKS * EPOCHS, pictures)
    saved -= _seen(params, NETWORKS * EPOCHS, pictures) * OUTPUT * pictures
    worth = PRODUCT * pictures**2 / 2 * numbers <= saved
    return "dual" if params.solver == "dual" or (needed <= GRAM_LIMIT and worth) else "primal"


def _seen(params: Params, epochs: int, pictures: int) -> float:
    """Count the steps on one picture of all runs."""
    return epochs * params.folds * params.runs * params.data.split.train * pictures


def _primal(params: Params, epochs: int, pictures: int) -> float:
    """Estimate the primal solver's nanoseconds for the epochs of all networks together."""
    return _seen(params, epochs, pictures) * (STEP + PIXEL * 3 * params.data.size**2)


def warning(params: Params, pictures: int) -> str | None:
    """Return a line for the terminal if all folds will take hours with the primal solver.

    Raises:
        InputError: as `choose`.
    """
    chosen = choose(params, pictures)
    epochs = sum(model.epochs for model in params.networks.values())
    seconds = 1e-9 * _primal(params, epochs, pictures)
    if params.folds == 1 or chosen == "dual" or seconds < LONG:
        return None
    return (
        f"folds: {params.folds} with the primal solver will train for about"
        f" {seconds / 3_600:.0f} hours of one core; folds: 1 takes one part in {params.folds} of it"
    )
