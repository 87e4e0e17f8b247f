"""results/report.html: results, inputs and how to reproduce them; report.md: its first screen.

The page is one file: it loads nothing, runs no script, follows the reader's light or dark scheme
and can be printed. It depends on tracked inputs only: the same inputs give the same bytes.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import PurePath
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from shallowdeep.evaluation.by_epoch import ahead_sentence
from shallowdeep.evaluation.findings import Findings
from shallowdeep.evaluation.intervals import Difference, Interval
from shallowdeep.evaluation.scores import SCORES
from shallowdeep.evaluation.sentences import (
    best_sentence,
    covered,
    optimiser_clause,
    p_text,
    points,
    rounded,
    sentence,
)
from shallowdeep.evaluation.verdict import familywise_error_rate, verdict
from shallowdeep.prepared.data_report import Counts, DataReport, LeftOut
from shallowdeep.report import charts
from shallowdeep.report.charts import Shown
from shallowdeep.report.picture_sheets import Pictures, Pixels, jpeg
from shallowdeep.report.svg import MODELS, STYLE
from shallowdeep.settings.params import Params

PACKAGES = ("dvc", "torch", "torchvision", "numpy", "scipy", "pandas", "scikit-learn", "matplotlib")
TRIES = (1, 3, 10)  # experiments


class Facts(NamedTuple):
    """The content of the page but for charts and pictures."""

    found: Findings
    data: DataReport
    counts: Counts
    left_out: Sequence[LeftOut]
    cautions: Sequence[str]  # for a reader of the verdict
    settings: Params
    parameters: Mapping[str, object]  # of params.yaml, keys as `-S` takes them
    identity: str | None  # of the models; None if stages leave no records


def render(facts: Facts, shown: Shown, pictures: Pictures) -> str:
    """The whole page."""
    first = first_screen(facts)
    margin = f"{100 * facts.settings.equivalence_margin:.1f}"
    page: str = template("page.html.jinja").render(
        **first,
        **pictures._asdict(),
        names=shown.names,
        style=STYLE,
        colours=len(MODELS),
        charts=charts.CHARTS,
        chosen=" and ".join(_chosen(facts.settings)),
        svgs=charts.drawn(shown),
        captions={
            chart.name: chart.caption.format(confidence=first["confidence"], margin=margin)
            for chart in charts.CHARTS
        },
        confusion={
            name: own.pivot(index="actual", columns="predicted", values="share").to_dict("index")
            for name, own in shown.tables["confusion"].groupby("model")
        },
        versions={name: version(name) for name in PACKAGES},
        error_rates={
            tries: f"{100 * familywise_error_rate(tries, alpha=facts.settings.alpha):.0f} %"
            for tries in TRIES
        },
    )
    return page


def summarised(facts: Facts) -> str:
    """The page's first screen as Markdown, for the comment on a pull request."""
    page: str = template("summary.md.jinja").render(**first_screen(facts))
    return page


def card(facts: Facts, name: str) -> str:
    """A model's card in the form that Hugging Face's hub reads, one model each.

    Metadata with a `model-index`, then the same in words; no path of this machine.
    """
    settings = facts.settings
    hidden = [f"{width} ReLU" for width in settings.networks[name].hidden]
    text: str = template("model_card.md.jinja").render(
        **first_screen(facts),
        name=name,
        optimiser=optimiser_clause(settings, name),
        layers=" -> ".join([str(3 * settings.data.size**2), *hidden, "1 sigmoid"]),
        classes=list(facts.counts["train"]),
        dataset=PurePath(settings.data.dir).name,
    )
    return text + "\n"


def first_screen(facts: Facts) -> dict[str, object]:
    """Variables of all templates."""
    settings, found = facts.settings, facts.found
    return {
        **facts._asdict(),
        **found._asdict(),
        "sentence": sentence(found.question),
        "best": best_sentence(found.pairs),
        "named": {name: f"{name} {one.title}" for name, one in settings.networks.items()},
        "parameter_counts": {
            name: f"{one.parameters(3 * settings.data.size**2):,}"
            for name, one in settings.networks.items()
        },
        "verdicts": {one.pair: verdict(one) for one in found.compared},
        "by_epoch": ahead_sentence(found.epochs, alpha=settings.alpha, runs=settings.runs),
        "covered": covered(runs=settings.runs, folds=settings.folds),
        "titles": {name: score.heading for name, score in SCORES.items()},
        "confidence": f"{100 * (1 - settings.alpha):g} %",
    }


def template(name: str) -> Template:
    """A template of this folder; in HTML, all variables are text, not markup."""
    environment = Environment(
        loader=PackageLoader("shallowdeep.report", "."),
        autoescape="html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"data_uri": _data_uri, "interval": _interval, "p_value": _p_value}
    environment.filters["markdown"] = lambda text: re.sub(r"([\\`*_<>])", r"\\\1", text)
    environment.filters["signed"] = lambda one: _interval(one, sign="+")
    environment.filters["margin"] = _margin
    environment.filters["points"] = points
    return environment.get_template(name)


def flat(parameters: Mapping[str, object]) -> dict[str, object]:
    """Nested keys joined by dots, as `dvc exp run -S` takes them; no path of this machine."""
    from dvc.utils.flatten import flatten

    found: dict[str, object] = flatten(parameters)
    for key, value in found.items():
        if isinstance(value, str) and value.startswith("/"):
            found[key] = PurePath(value).name
    return {key: "" if value is None else value for key, value in found.items()}


def _interval(score: Interval | Difference, *, sign: str = "") -> str:
    mean, low, high = (rounded(of, 3, sign=sign) for of in (score.mean, score.low, score.high))
    return f"{mean} ({low} to {high})"


def _margin(score: Interval) -> str:
    return f"{rounded(score.mean, 3)} ± {rounded((score.high - score.low) / 2, 3)}"


def _chosen(settings: Params) -> list[str]:
    """Choices that the validation pictures have made."""
    rates = any(network.lrs for network in settings.networks.values())
    return ["the epoch"] * (settings.keep == "best") + ["the learning rate"] * rates


def _p_value(p: float) -> str:
    return p_text(p).removeprefix("= ").replace(" ", "\u00a0")


def _data_uri(pixels: Pixels) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(pixels)).decode()}"
