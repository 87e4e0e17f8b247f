"""A figure of matplotlib as SVG, and the colours of pages and charts.

The same bytes anywhere; text stays text, and colours are variables of CSS for the reader's light or
dark scheme.
"""

import io
import re
from html import escape

from matplotlib.figure import Figure

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
    "paper": ("#ffffff", "#14181f"),
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


PAPER = '<rect width="100%" height="100%" fill="var(--paper)"/>'  # viewers have a white one


def svg(figure: Figure, title: str, *, standalone: bool) -> str:
    """The figure as an `svg` element with a text alternative, responsive within a page."""
    file = io.StringIO()
    figure.savefig(
        file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
    )
    content = file.getvalue()
    content = content[content.index("<svg") :]
    content = re.sub(r"<!--.*?-->\s*|<metadata>.*?</metadata>\s*", "", content, flags=re.DOTALL)
    content = re.sub(r'<g id="[^"]*"', "<g", content)  # the same in every chart of a page
    content = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", content)
    content = re.sub(r"<[^>]*>", _rounded, content)
    body = content.partition(">")[2]  # all but the tag's own size and links
    width, height = (72 * inches for inches in figure.get_size_inches())
    box = f'viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    style = f"<style>{STYLE}</style>{PAPER}" if standalone else ""
    size = f'width="{width:.0f}" height="{height:.0f}" ' if standalone else ""
    for name, (light, _) in SCHEMES.items():
        body = body.replace(light, f"var(--{name})")
    return f"<svg {links} {size}{box}><title>{escape(title)}</title>{style}{body}"


def _rounded(tag: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", tag[0])
