"""Which of the two solvers trains: over pixels (primal) or over the Gram matrix (dual)."""

from typing import Literal

from shallowdeep.errors import InputError

GRAM_LIMIT = 4 * 2**30  # bytes; the matrix stays in memory while a network trains


def choose(
    solver: Literal["auto", "primal", "dual"], *, pictures: int, train: int
) -> Literal["primal", "dual"]:
    """Settle on a solver.

    Args:
        solver: what params.yaml asks for; `auto` takes dual where its matrix is within the limit.
        pictures: all pictures, N.
        train: training pictures, N_train.

    Raises:
        InputError: `dual` is asked for and its matrix would be over the limit.
    """
    if solver == "primal":
        return "primal"
    size = 4 * pictures * train
    if size <= GRAM_LIMIT:
        return "dual"
    if solver == "dual":
        raise InputError(
            f"params.yaml: solver: dual needs a Gram matrix of {size / 2**30:.1f} GiB for"
            f" {pictures:,} pictures, at most {GRAM_LIMIT / 2**30:.0f} GiB are allowed; take primal"
        )
    return "primal"
