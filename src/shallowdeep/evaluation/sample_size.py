"""How many test pictures it takes to tell two accuracies apart."""

import math

from scipy.special import ndtri

from shallowdeep.files.errors import InputError


def pictures_needed(
    p1: float,
    p2: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    disagreement: float | None = None,
    run_variance: float = 0.0,
) -> int:
    """Test pictures that it takes to tell an accuracy of `p1` from one of `p2`.

    Args:
        p1: one accuracy.
        p2: the other.
        alpha: level of the two-sided test.
        power: chance to find the difference.
        disagreement: mean over pictures of the squared difference between the models' shares of
            right runs; for one run each that is the share of pictures on which just one of them is
            right. None: each model has test pictures of its own, and as many are needed for each.
        run_variance: variance of the mean difference that comes from the seeds; more pictures do
            not make it smaller, more runs do.

    Returns:
        Number of pictures: for the same pictures after Connor (1987), Sample size for testing
        differences in proportions for the paired-sample design; else after Fleiss (1981),
        Statistical Methods for Rates and Proportions, without continuity correction.

    Raises:
        InputError: the seeds alone hide the difference, so that no number of pictures is enough; or
            the disagreement is too small for the accuracies to differ so much.
    """
    if disagreement is None:
        middle = (p1 + p2) / 2
        equal, apart = 2 * middle * (1 - middle), p1 * (1 - p1) + p2 * (1 - p2)
    else:
        equal, apart = disagreement, disagreement - (p1 - p2) ** 2
        if apart < 0:
            raise InputError(
                f"disagreement: {disagreement:g} is below {(p1 - p2) ** 2:g}, the square of the"
                " difference"
            )
    level, reach = float(ndtri(1 - alpha / 2)), float(ndtri(power))
    room = (p1 - p2) ** 2 - (level + reach) ** 2 * run_variance
    if room <= 0:
        raise InputError(
            f"run_variance: {run_variance:g} hides a difference of {abs(p1 - p2):g} on any number"
            " of pictures; more runs are needed"
        )
    return math.ceil((level * math.sqrt(equal) + reach * math.sqrt(apart)) ** 2 / room)
