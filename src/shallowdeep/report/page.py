"""results/report.html: what came out, what went in and how to get it again; report.md: in short.

The page is one file: it loads nothing, runs no script, follows the reader's light or dark scheme
and can be printed. It is made of tracked inputs only, so that the same inputs give the same bytes.
"""

import base64
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from numpy.typing import NDArray

from shallowdeep.evaluation.by_epoch import in_words
from shallowdeep.evaluation.findings import Findings
from shallowdeep.evaluation.intervals import Difference, Interval
from shallowdeep.evaluation.verdict import by_chance, covered, sentence, verdict
from shallowdeep.prepared.data_report import Counts, DataReport, LeftOut
from shallowdeep.report import colours
from shallowdeep.report.charts import Tables, drawn
from shallowdeep.report.picture_sheets import Pictures, jpeg
from shallowdeep.settings.params import Params

PACKAGES = ("dvc", "torch", "torchvision", "numpy", "scipy", "pandas", "scikit-learn", "matplotlib")
TITLES = {  # of scores, for people
    "balanced_accuracy": "balanced accuracy (mean of both classes')",
    "accuracy": "accuracy",
    "roc_auc": "area under the ROC curve",
    "f1": "F1",
    "log_loss": "log loss (less is better)",
    "brier": "Brier score (less is better)",
}
LISTED = 20  # files left out that the page names
TRIES = (1, 3, 10)  # experiments


class Facts(NamedTuple):
    """What the page says in numbers and words."""

    found: Findings
    data: DataReport
    counts: Counts
    left_out: Sequence[LeftOut]
    settings: Params
    parameters: Mapping[str, object]  # params.yaml as it stands there, keys as `-S` takes them
    identity: str | None  # of the models; None where the stages leave no records


def render(facts: Facts, tables: Tables, pictures: Pictures) -> str:
    """The whole page."""
    settings = facts.settings
    page: str = template("page.html.jinja").render(
        **_common(facts),
        names=list(settings.models),
        style=colours.STYLE,
        colours=len(colours.MODELS),
        charts=drawn(tables, list(settings.models), facts.found.scores, facts.found.compared),
        confusion={
            name: own.pivot(index="actual", columns="predicted", values="share").to_dict("index")
            for name, own in tables.confusion.groupby("model")
        },
        parameters=facts.parameters,
        versions={name: version(name) for name in PACKAGES},
        identity=facts.identity,
        data=facts.data,
        counts=facts.counts,
        left_out=facts.left_out[:LISTED],
        **pictures._asdict(),
    )
    return page


def summarised(facts: Facts) -> str:
    """The page's first screen as Markdown, for the comment on a pull request."""
    page: str = template("summary.md.jinja").render(**_common(facts))
    return page


def _common(facts: Facts) -> dict[str, object]:
    """What page and summary both say."""
    settings, found = facts.settings, facts.found
    return {
        "sentence": sentence(found.compared[0]),
        "compared": found.compared,
        "verdicts": {one.pair: verdict(one) for one in found.compared},
        "question": found.compared[0],
        "outlook": found.outlook,
        "by_epoch": in_words(found.epochs, alpha=settings.alpha, runs=settings.runs),
        "covered": covered(runs=settings.runs, folds=settings.folds),
        "scores": found.scores,
        "titles": TITLES,
        "confidence": f"{100 * (1 - settings.alpha):g} %",
        "by_chance": {
            tries: f"{100 * by_chance(tries, alpha=settings.alpha):.0f} %" for tries in TRIES
        },
        "settings": settings,
    }


def template(name: str) -> Template:
    """A template of this folder; everything that a page is given is text, not markup."""
    environment = Environment(
        loader=PackageLoader("shallowdeep.report", "."),
        autoescape="html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"data_uri": _data_uri, "interval": _interval, "p_value": _p_value}
    environment.filters["signed"] = lambda one: _interval(one, sign="+")
    environment.filters["points"] = lambda value: f"{100 * value:.1f}"
    return environment.get_template(name)


def flat(parameters: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested keys joined by dots, as `dvc exp run -S` takes them."""
    found: dict[str, object] = {}
    for key, value in parameters.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = "" if value is None else value
    return found


def _interval(score: Interval | Difference, *, sign: str = "") -> str:
    return f"{score.mean:{sign}.3f} ({score.low:{sign}.3f} to {score.high:{sign}.3f})"


def _p_value(p: float) -> str:
    return "<\u00a00.001" if p < 0.001 else f"{p:.3f}"


def _data_uri(pixels: NDArray[np.uint8]) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(pixels)).decode()}"
