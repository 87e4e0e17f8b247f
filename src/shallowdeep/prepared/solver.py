"""Which of the two solvers trains: over pixels (primal) or over the Gram matrix (dual)."""

from typing import Literal

from shallowdeep.files.errors import InputError

GRAM_LIMIT = 4 * 2**30  # bytes; the matrix stays in memory while a network trains


def choose(
    solver: Literal["auto", "primal", "dual"], *, pictures: int, train: int, size: int
) -> Literal["primal", "dual"]:
    """Settle on a solver.

    Args:
        solver: what params.yaml asks for; `auto` takes dual where its matrix is within the limit
            and, by measurement, ten runs are faster with it.
        pictures: all pictures, N.
        train: training pictures, N_train.
        size: pixels along each side of a picture.

    Raises:
        InputError: `dual` is asked for and its matrix would be over the limit.
    """
    if solver == "primal":
        return "primal"
    needed = 4 * pictures * train
    if solver == "dual" and needed > GRAM_LIMIT:
        raise InputError(
            f"params.yaml: solver: dual needs a Gram matrix of {needed / 2**30:.1f} GiB for"
            f" {pictures:,} pictures, at most {GRAM_LIMIT / 2**30:.0f} GiB are allowed; take primal"
        )
    faster = pictures <= 12_000 + 1.6 * 3 * size**2  # measured: docs/decisions.md
    return "dual" if solver == "dual" or (needed <= GRAM_LIMIT and faster) else "primal"
