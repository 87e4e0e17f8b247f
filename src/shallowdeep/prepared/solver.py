"""Which of the two solvers trains: over pixels (primal) or over the Gram matrix (dual)."""

from typing import Literal

from shallowdeep.files.errors import InputError
from shallowdeep.settings.params import Params

GRAM_LIMIT = 4 * 2**30  # bytes; the matrix stays in memory while a network trains

# Nanoseconds of one core, measured (docs/decisions.md); their ratios decide, on every machine.
PRODUCT = 0.05  # of the Gram matrix: two numbers multiplied and added
STEP, PIXEL = 12_000, 1.8  # primal: for a picture that a run trains on, and for each of its numbers
OUTPUT = 1.3  # dual: for each picture whose output moves when a run trains on one
NETWORKS, EPOCHS = 2, 10  # that count: if prepare knew how many there are, more would run it anew

DEAR = 3_600  # seconds on one core


def choose(params: Params, pictures: int) -> Literal["primal", "dual"]:
    """Settle on a solver.

    Args:
        params: what is asked for; `auto` takes dual where its matrix is within the limit and costs
            less than it saves both networks in ten epochs of all runs of all folds.
        pictures: all pictures, N.

    Raises:
        InputError: `dual` is asked for and its matrix would be over the limit.
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
    """How often a run trains on a picture."""
    return epochs * params.folds * params.runs * params.data.split.train * pictures


def _primal(params: Params, epochs: int, pictures: int) -> float:
    """Nanoseconds that the primal solver takes for the epochs of all networks together."""
    return _seen(params, epochs, pictures) * (STEP + PIXEL * 3 * params.data.size**2)


def of_prepared(
    solver: Literal["auto", "primal", "dual"], *, has_gram: bool
) -> Literal["primal", "dual"]:
    """The solver that `choose` settled on when the pictures were prepared."""
    if solver == "auto":
        return "dual" if has_gram else "primal"
    return solver


def warning(params: Params, pictures: int) -> str | None:
    """What to say before the first picture is decoded: that the folds will be dear on primal.

    Raises:
        InputError: as `choose`.
    """
    chosen = choose(params, pictures)
    if params.folds == 1 or chosen == "dual":
        return None
    epochs = sum(model.epochs for model in params.models.values())
    seconds = 1e-9 * _primal(params, epochs, pictures)
    if seconds < DEAR:
        return None
    return (
        f"folds: {params.folds} with the primal solver will train for about"
        f" {seconds / 3_600:.0f} hours of one core; folds: 1 takes one part in {params.folds} of it"
    )
