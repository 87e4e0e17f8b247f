"""results/model_cards/NAME.md: a model's card in the form that Hugging Face's hub reads."""

from pathlib import PurePath

from shallowdeep.evaluation.scores import SCORES
from shallowdeep.evaluation.verdict import covered, sentence
from shallowdeep.report.page import Facts, template


def card(facts: Facts, name: str) -> str:
    """Metadata with a `model-index`, then the same in words; no path of this machine.

    Each model has a card of its own: the hub's library reads one model from a card.
    """
    settings, found = facts.settings, facts.found
    network = settings.networks[name]
    widths = [str(3 * settings.data.size**2), *(f"{width} ReLU" for width in network.hidden)]
    text: str = template("model_card.md.jinja").render(
        name=name,
        scores={
            score: f"{one.mean:.3f} ± {(one.high - one.low) / 2:.3f}"
            for score, one in found.scores.models[name]["test"].items()
        },
        titles={score: one.heading for score, one in SCORES.items()},
        layers=" -> ".join([*widths, "1 sigmoid"]),
        epochs=network.epochs,
        classes=list(facts.counts["train"]),
        dataset=PurePath(settings.data.dir).name,
        sentence=sentence(found.question),
        covered=covered(runs=settings.runs, folds=settings.folds),
        confidence=f"{100 * (1 - settings.alpha):g} %",
        data=facts.data,
        trained=found.question.trained,
        settings=settings,
    )
    return text + "\n"
