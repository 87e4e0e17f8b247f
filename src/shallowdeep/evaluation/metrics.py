"""results/metrics.json: the few numbers and the verdict that `dvc metrics diff` shows."""

import json

from shallowdeep.evaluation.intervals import Difference, Interval
from shallowdeep.evaluation.score_table import ScoreTable
from shallowdeep.evaluation.verdict import SCORE

DIFFERENCE = "difference"  # key beside the models' names
MEANS = ("accuracy", "log_loss", "roc_auc")  # shown without an interval


def as_json(scores: ScoreTable, verdict: str) -> str:
    """Text of metrics.json: scores on the tested pictures, keys sorted."""
    content: dict[str, object] = {
        name: {SCORE: _bounds(of["test"][SCORE])} | {key: of["test"][key].mean for key in MEANS}
        for name, of in scores.models.items()
    }
    content |= {"verdict": verdict, DIFFERENCE: {SCORE: _bounds(scores.question[SCORE])}}
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _bounds(of: Interval | Difference) -> dict[str, float]:
    return {key: value for key, value in of._asdict().items() if key != "std"}
