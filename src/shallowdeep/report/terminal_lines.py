"""The results in lines for the terminal."""

from collections.abc import Sequence

from shallowdeep.evaluation.by_epoch import ahead_sentence
from shallowdeep.evaluation.findings import Findings
from shallowdeep.evaluation.intervals import Difference, Interval
from shallowdeep.evaluation.outlook import Outlook
from shallowdeep.evaluation.sentences import covered, p_text, rounded
from shallowdeep.evaluation.verdict import SCORE, verdict
from shallowdeep.settings.params import Params


def lines(found: Findings, settings: Params, *, seconds: float | None) -> list[str]:
    """Balanced accuracies, their differences and the verdict; seconds that the trainings took."""
    of_models = {name: of["test"][SCORE] for name, of in found.scores.models.items()}
    alone = " (one run of each decides nothing)" if settings.runs == 1 else ""
    return [
        *(f"{name}: balanced accuracy {_shown(one)}" for name, one in of_models.items()),
        *(
            f"{one.pair}: {_shown(one.difference)}, p {p_text(one.difference.p_value)}"
            for one in found.compared
        ),
        f"the intervals: {100 * (1 - settings.alpha):g} % over "
        f"{covered(runs=settings.runs, folds=settings.folds)}",
        ahead_sentence(found.epochs, alpha=settings.alpha, runs=settings.runs),
        *([_expected(found.outlook, seconds)] if found.outlook else []),
        f"verdict: {verdict(found.question)}{alone}",
    ]


def _expected(expected: Sequence[Outlook], seconds: float | None) -> str:
    """Half widths now, with the most runs and with the most pictures.

    Networks trained on more pictures are other networks, so theirs is an upper bound.
    """
    now = expected[0]
    runs = max(expected, key=lambda one: one.runs)
    pictures = max(expected, key=lambda one: one.pictures)
    took = f" (about {_time(seconds * runs.runs / now.runs)})" if seconds else ""
    return (
        f"expected half width: ± {100 * now.margin:.1f} points now; ± {100 * runs.margin:.1f}"
        f" with {runs.runs:,} runs{took}, at most about ± {100 * pictures.margin:.1f} between"
        f" networks trained and tested on {pictures.pictures / now.pictures:.0f} times the pictures"
    )


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _shown(score: Interval | Difference) -> str:
    mean, low, high = (rounded(of, 3) for of in (score.mean, score.low, score.high))
    return f"{mean}, interval {low} to {high}"
