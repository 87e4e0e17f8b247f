"""Several differences from the same answers, whose intervals hold all at once.

Each interval is as wide as its own formula has it, at a level below alpha that all share: the one
at which the largest of all |difference / standard error| stays below the normal quantile in 1 -
alpha of the cases ("max-t": Hothorn, Bretz and Westfall 2008, Biometrical Journal 50, 346-363). How
that maximum is distributed is drawn by a multiplier bootstrap: what each picture and each run adds
to the differences is multiplied by normal numbers. It is never wider than Bonferroni's.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from shallowdeep.evaluation.intervals import NOTHING, Design, contributions
from shallowdeep.evaluation.scores import Score

DRAWS = 20_000  # the quantile at 0.05 is within 0.02 of its own


class Together:
    """Differences that are judged together.

    Args:
        design: which pictures are asked about, and by whom.
        differences: of each, the scores of all folds.
    """

    def __init__(self, design: Design, differences: Sequence[list[Score]]) -> None:
        self._count = len(differences)
        if self._count == 1:
            return
        added = [contributions(design, scores) for scores in differences]
        matrix = np.array([np.concatenate([one.ravel() for one in pair]) for pair in added])
        size = np.sqrt((matrix**2).sum(1))
        matrix = matrix[size**2 > NOTHING] / size[size**2 > NOTHING, None]  # [J, N + K R]
        # Of as few normal numbers as there are differences: their multiples covary alike.
        root = np.linalg.cholesky(matrix @ matrix.T + 1e-9 * np.eye(len(matrix)))
        draws = np.random.default_rng(0).standard_normal((DRAWS, len(matrix))) @ root.T
        self._largest = np.sort(np.abs(draws).max(1, initial=0))

    def level(self, alpha: float) -> float:
        """The alpha at which each interval is to be made, for 1 - alpha of all to hold at once."""
        if self._count == 1:
            return alpha
        drawn = float(np.quantile(self._largest, 1 - alpha))
        least, most = float(ndtri(1 - alpha / 2)), float(ndtri(1 - alpha / 2 / self._count))
        # Two decimals, rounded up: the last bits of a sum do not show.
        return float(2 * ndtr(-min(max(math.ceil(100 * drawn) / 100, least), most)))

    def p_value(self, alone: float) -> float:
        """What a difference's own p-value comes to among all of them."""
        if self._count == 1:
            return alone
        reached = math.floor(-100 * float(ndtri(alone / 2))) / 100
        share = 1 - float(np.searchsorted(self._largest, reached)) / DRAWS
        return min(max(share, alone), self._count * alone, 1.0)
