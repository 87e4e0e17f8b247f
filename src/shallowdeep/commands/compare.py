"""Changes of the scores between two experiments; real changes are marked.

FROM and TO are git revisions, names of DVC experiments, or `workspace`.
"""

import argparse
from collections.abc import Sequence

from tabulate import tabulate

from shallowdeep.commands.experiments import Experiment, parser_of_two, read
from shallowdeep.evaluation.change import Change, Common, changes
from shallowdeep.evaluation.sentences import points, rounded
from shallowdeep.evaluation.verdict import QUESTION, SCORE, familywise_note
from shallowdeep.files.errors import InputError

_IN_COMMON: dict[Common, str] = {
    "pictures and runs": "The same pictures, seeds and folds: compared by picture and by run.",
    "pictures": "The same pictures, other seeds or folds: compared by picture.",
    "nothing": "Not the same pictures: compared as two experiments that have nothing in common.",
}


def compared(before: Experiment, after: Experiment) -> tuple[Common, list[Change]]:
    """The changes of all scores that both experiments have, at the confidence of the later one.

    Raises:
        InputError: they have no model in common.
    """
    assert before.predictions and after.predictions, "read with predictions"
    common, found = changes(before.predictions, after.predictions, alpha=after.params.alpha)
    if not found:
        raise InputError(f"{before.name} and {after.name} have no model in common")
    return common, found


def shown(
    before: Experiment,
    after: Experiment,
    common: Common,
    found: Sequence[Change],
    *,
    markdown: bool,
) -> str:
    """The changes side by side, for the terminal or as Markdown for a pull request."""
    confidence = f"{100 * (1 - after.params.alpha):g} %"
    rows = [
        (
            one.of,
            one.score.replace("_", " "),
            rounded(one.before, 3),
            rounded(one.after, 3),
            rounded(one.after - one.before, 3, sign="+"),
            f"{rounded(one.low, 3, sign='+')} to {rounded(one.high, 3, sign='+')}",
            "real" if one.real else "",
        )
        for one in found
    ]
    head = ["", "score", before.name, after.name, "change", f"{confidence} interval", ""]
    if single := [one.name for one in (before, after) if one.params.runs == 1]:
        marks = (
            f"One run of each network ({', '.join(single)}): nothing is marked, because another"
            " seed may reverse it."
        )
    else:
        word = "real: beyond chance," if any(one.real for one in found) else "None is beyond chance"
        marks = f"{word} with {confidence} confidence for all of this table together (Holm 1979)."
    lines = [
        f"verdict: {before.verdict} -> {after.verdict}",
        *([""] if markdown else []),  # a paragraph of its own
        *_of_question(found),
        "",
        tabulate(rows, head, "pipe" if markdown else "plain", disable_numparse=True),
        "",
        _IN_COMMON[common],
        marks,
        familywise_note(after.experiments, alpha=after.params.alpha),
    ]
    return "\n".join(lines)


def _of_question(found: Sequence[Change]) -> list[str]:
    """The change of the verdict's difference, as a line."""
    return [
        "{}: {} -> {} points, a change of {} ({} to {})".format(
            one.of,
            *(
                points(value, sign="+")
                for value in (one.before, one.after, one.after - one.before, one.low, one.high)
            ),
        )
        for one in found
        if (one.of, one.score) == (str(QUESTION), SCORE)
    ]


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    return parser_of_two("compare", __doc__ or "", ("FROM", "TO"))


def main(arguments: Sequence[str]) -> None:
    """Read two experiments and print the changes."""
    options = parser().parse_args(arguments)
    before, after = read([options.before, options.after], predictions=True)
    print(shown(before, after, *compared(before, after), markdown=options.md))
