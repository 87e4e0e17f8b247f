"""Verdicts at many settings, corrected for their number, and a summary."""

from collections.abc import Callable, Sequence

from shallowdeep.evaluation.verdict import DEEP, EQUAL, SHALLOW, UNDECIDED, Comparison, verdict

AtLevel = Callable[[float], Comparison]  # a comparison with intervals of confidence 1 - alpha


def step_down(settings: Sequence[AtLevel], *, alpha: float) -> list[Comparison]:
    """Compare at every setting so that with confidence 1 - alpha no verdict of all is wrong.

    Holm's procedure (1979): of m settings those are decided whose verdict holds at alpha / m, then
    those that hold at alpha over the number left, until none is. Each interval has the level of
    the step that decided its setting, or of the last step.
    """
    found = [at_level(alpha / len(settings)) for at_level in settings]
    decided: set[int] = set()
    while new := {i for i, of in enumerate(found) if i not in decided and verdict(of) != UNDECIDED}:
        decided |= new
        left = len(settings) - len(decided)
        for i, at_level in enumerate(settings):
            if i not in decided:
                found[i] = at_level(alpha / left)
    return found


def summary(compared: Sequence[Comparison], *, alpha: float) -> str:
    """Count the settings of each verdict, in words."""
    verdicts = [verdict(of) for of in compared]
    count = {word: f"{verdicts.count(word):,}" for word in (DEEP, SHALLOW, EQUAL, UNDECIDED)}
    return (
        f"In {count[DEEP]} of {len(verdicts):,} settings the deep network is ahead, in"
        f" {count[SHALLOW]} the shallow one, in {count[EQUAL]} they are equal, {count[UNDECIDED]}"
        f" are undecided; all verdicts hold together with {100 * (1 - alpha):g} % confidence"
    )
