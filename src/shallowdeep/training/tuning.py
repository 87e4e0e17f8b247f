"""The choice of a learning rate inside each fold: by validation, never by the tested pictures."""

from collections import Counter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shallowdeep.files.errors import InputError
from shallowdeep.trained.history import MEASURES
from shallowdeep.trained.tuned import Tuned

LOSS = MEASURES.index("validation_loss")


def taken(
    history: NDArray[np.floating[Any]], lrs: tuple[float, ...], keep: Literal["last", "best"]
) -> NDArray[np.intp]:
    """Number of the learning rate that each fold takes: that of the lowest mean validation loss.

    The mean is over runs, of the loss that each had after the epoch whose weights are kept. Of
    equal means the smaller learning rate is taken. A learning rate at which a loss of a fold is not
    finite is out of the race there.

    Args:
        history: measures of every epoch [L, K, R, E, 3].
        lrs: learning rates, ascending [L].
        keep: as in params.yaml.

    Returns:
        [K], numbers from 0 to L - 1.

    Raises:
        InputError: a fold has a loss that is not finite at every learning rate.
    """
    loss = history[..., LOSS].astype(np.float64)
    of_kept = loss[..., -1] if keep == "last" else loss.min(-1)
    means: NDArray[np.float64] = np.where(finite(history), of_kept.mean(-1), np.inf)  # [L, K]
    if len(lost := np.flatnonzero(~finite(history).any(0))):
        fold = int(lost[0])
        run, epoch = np.argwhere(~np.isfinite(history[0, fold]).all(-1))[0].tolist()
        raise not_finite(fold, run, epoch + 1, lrs, folds=history.shape[1])
    numbers: NDArray[np.intp] = means.argmin(0)
    return numbers


def finite(history: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
    """True for each learning rate and fold [L, K] whose losses are all finite."""
    found: NDArray[np.bool_] = np.isfinite(history).all((2, 3, 4))
    return found


def not_finite(
    fold: int, run: int, epoch: int, lrs: tuple[float, ...], *, folds: int
) -> InputError:
    """Error on a loss that is not finite; of several learning rates, at the smallest too."""
    where = f"fold {fold}, run {run}" if folds > 1 else f"run {run}"
    smallest = "" if len(lrs) == 1 else ", the smallest"
    return InputError(
        f"{where}, epoch {epoch}: the loss is not finite at lr {lrs[0]:g}{smallest}; a smaller lr"
        " may help"
    )


def remarks(tuned: Tuned, history: NDArray[np.floating[Any]]) -> list[str]:
    """Lines for the terminal: how often each learning rate was taken, and what to look at."""
    counts, folds = Counter(tuned.taken), len(tuned.taken)
    shares = ", ".join(f"{lr:g} in {counts[lr]}" for lr in tuned.lrs if counts[lr])
    lines = [f"lr: of {folds} {'folds' if folds > 1 else 'fold'} {shares}"]
    if tuned.edge:
        lines.append(f"lr: {tuned.edge}")
    for lr, lost in zip(tuned.lrs, (~finite(history)).sum(1).tolist(), strict=True):
        if lost:
            lines.append(f"lr: {lr:g} is not taken in {lost} of {folds}: a loss is not finite")
    return lines
