"""results/model_cards/NAME.md: a model's card in the form that Hugging Face's hub reads."""

from pathlib import PurePath

from shallowdeep.report.page import Facts, first_screen, template


def card(facts: Facts, name: str) -> str:
    """Metadata with a `model-index`, then the same in words; no path of this machine.

    Each model has a card of its own: the hub's library reads one model from a card.
    """
    settings = facts.settings
    hidden = [f"{width} ReLU" for width in settings.networks[name].hidden]
    text: str = template("model_card.md.jinja").render(
        **first_screen(facts),
        name=name,
        layers=" -> ".join([str(3 * settings.data.size**2), *hidden, "1 sigmoid"]),
        classes=list(facts.counts["train"]),
        dataset=PurePath(settings.data.dir).name,
    )
    return text + "\n"
