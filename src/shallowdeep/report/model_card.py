"""results/model_cards/NAME.md: what a model is, in the form that Hugging Face's hub reads."""

from pathlib import PurePath

from shallowdeep.evaluation.intervals import Interval
from shallowdeep.evaluation.verdict import covered, sentence
from shallowdeep.report.page import TITLES, Facts, template


def card(facts: Facts, name: str) -> str:
    """Metadata with a `model-index`, then the same in words; no folder of anybody's machine.

    Args:
        facts: what came out.
        name: of the model. Each has a card of its own, for the hub's library reads no second one.
    """
    settings, found = facts.settings, facts.found
    network = settings.models[name]
    widths = [str(3 * settings.data.size**2), *(f"{width} ReLU" for width in network.hidden)]
    text: str = template("model_card.md.jinja").render(
        name=name,
        scores={
            score: _with_margin(one) for score, one in found.scores.models[name]["test"].items()
        },
        titles=TITLES,
        layers=" -> ".join([*widths, "1 sigmoid"]),
        epochs=network.epochs,
        classes=list(facts.counts["train"]),
        dataset=PurePath(settings.data.dir).name,
        sentence=sentence(found.compared[0]),
        covered=covered(runs=settings.runs, folds=settings.folds),
        confidence=f"{100 * (1 - settings.alpha):g} %",
        data=facts.data,
        trained=found.compared[0].trained,
        settings=settings,
    )
    return text + "\n"


def _with_margin(score: Interval) -> str:
    return f"{score.mean:.3f} ± {(score.high - score.low) / 2:.3f}"
