"""Simultaneous intervals of several differences between predictions for the same pictures.

All intervals share a level below alpha, at which the largest |difference / standard error| stays
below the normal quantile in 1 - alpha of the cases ("max-t": Hothorn, Bretz and Westfall 2008,
Biometrical Journal 50, 346-363). A multiplier bootstrap draws the distribution of that maximum:
it multiplies the contributions of groups of pictures and of runs by normal numbers. The intervals
are never wider than Bonferroni's.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from shallowdeep.evaluation.intervals import NOTHING, Design, Scored, contributions

DRAWS = 20_000  # the quantile at 0.05 is within 0.02 of its own


class MaxT:
    """The max-t distribution of several differences, each given by the scores of all folds."""

    def __init__(self, design: Design, differences: Sequence[Scored]) -> None:
        self._count = len(differences)
        if self._count == 1:
            return
        matrix = np.array([contributions(design, scores) for scores in differences])
        size = np.sqrt((matrix**2).sum(1))
        matrix = matrix[size**2 > NOTHING] / size[size**2 > NOTHING, None]  # [J, G + K R]
        # One normal number for each difference is enough: the root gives them the covariance.
        root = np.linalg.cholesky(matrix @ matrix.T + 1e-9 * np.eye(len(matrix)))
        draws = np.random.default_rng(0).standard_normal((DRAWS, len(matrix))) @ root.T
        self._largest = np.sort(np.abs(draws).max(1, initial=0))

    def level(self, alpha: float) -> float:
        """The alpha of each interval at which all hold at once with confidence 1 - alpha."""
        if self._count == 1:
            return alpha
        drawn = float(np.quantile(self._largest, 1 - alpha))
        least, most = float(ndtri(1 - alpha / 2)), float(ndtri(1 - alpha / 2 / self._count))
        # Two decimals, rounded up, hide the last bits of a sum.
        return float(2 * ndtr(-min(max(math.ceil(100 * drawn) / 100, least), most)))

    def p_value(self, alone: float) -> float:
        """A difference's p-value, adjusted for all of them."""
        if self._count == 1:
            return alone
        reached = math.floor(-100 * float(ndtri(alone / 2))) / 100
        share = 1 - float(np.searchsorted(self._largest, reached)) / DRAWS
        return min(max(share, alone), self._count * alone, 1.0)
