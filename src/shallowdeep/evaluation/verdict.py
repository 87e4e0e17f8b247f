"""Which of the two networks of the question is better, in a word and in a sentence."""

from collections.abc import Mapping
from typing import Literal, get_args

from shallowdeep.evaluation.intervals import Difference, Interval

DEEP, SHALLOW = "deep", "shallow"  # the two models of params.yaml that the verdict is about
DIFFERENCE = f"{DEEP} minus {SHALLOW}"

Verdict = Literal["deep", "shallow", "undecided"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


def verdict(difference: Difference, *, runs: int) -> Verdict:
    """Which model is better, by a score of which more is better.

    It names a model exactly where the interval leaves 0 out, so where p is below alpha, save that
    one run of each decides nothing about architectures, however clear its pictures are.

    Args:
        difference: deep minus shallow.
        runs: of each.
    """
    if runs < 2 or difference.low <= 0 <= difference.high:
        return "undecided"
    return "deep" if difference.mean > 0 else "shallow"


def sentence(
    accuracies: Mapping[str, Interval], difference: Difference, *, runs: int, alpha: float
) -> str:
    """The verdict for a reader who knows no statistics.

    Args:
        accuracies: by model, on the test pictures.
        difference: of them, deep minus shallow.
        runs: of each network.
        alpha: 1 - alpha is the confidence of the intervals.
    """
    right = {name: f"{100 * accuracies[name].mean:.1f} %" for name in (DEEP, SHALLOW)}
    if runs == 1:
        return (
            f"One run of each network cannot tell whether depth helps: the deep one got "
            f"{right[DEEP]} of the test pictures right, the shallow one {right[SHALLOW]}, "
            "and another seed may turn that round."
        )
    low, high = 100 * difference.low, 100 * difference.high
    better = verdict(difference, runs=runs)
    if better == "undecided":
        return (
            f"These pictures cannot tell whether depth helps: of new ones, the deep network gets "
            f"{right[DEEP]} right and the shallow one {right[SHALLOW]}, and the true "
            f"difference may be anything from {max(-low, 0):.1f} points for the shallow network to "
            f"{max(high, 0):.1f} for the deep one."
        )
    worse = SHALLOW if better == DEEP else DEEP
    least, most = sorted((abs(low), abs(high)))
    return (
        f"On pictures like these the {better} network is better: of new ones it gets "
        f"{right[better]} right, the {worse} one {right[worse]}; with {100 * (1 - alpha):g} % "
        f"confidence it is ahead by {least:.1f} to {most:.1f} points."
    )
