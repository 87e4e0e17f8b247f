"""The colours of pages and charts, for the reader's light or dark scheme."""

MODELS = (  # in light and dark schemes, told apart without red and green too
    ("#0a6ebd", "#63b3f3"),
    ("#c2500a", "#f59a57"),
    ("#147a52", "#58c99a"),
    ("#8a4a9e", "#cf9be0"),
    ("#8a6d00", "#d9bc4a"),
    ("#a3244f", "#f28bab"),
    ("#4d5a66", "#a9b6c2"),
)
SCHEMES = {  # by the variable of CSS: in light and dark schemes
    "ink": ("#1d2430", "#e6e9ee"),
    "soft": ("#5a6472", "#a3adba"),
    "line": ("#d5dae1", "#39414d"),
} | {f"model-{number}": pair for number, pair in enumerate(MODELS)}


def of_model(number: int) -> str:
    """The light colour of a model by its place in params.yaml; they repeat."""
    return MODELS[number % len(MODELS)][0]


def _variables(scheme: int) -> str:
    return " ".join(f"--{name}: {pair[scheme]};" for name, pair in SCHEMES.items())


STYLE = f"""\
:root {{ {_variables(0)} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_variables(1)} }} }}
"""
