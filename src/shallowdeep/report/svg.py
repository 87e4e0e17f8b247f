"""A figure of matplotlib as SVG: the same bytes anywhere, text as text, colours as variables."""

import io
import re
from html import escape

from matplotlib.figure import Figure

from shallowdeep.report.colours import SCHEMES, STYLE


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
    style = f"<style>{STYLE}</style>" if standalone else ""
    size = f'width="{width:.0f}" height="{height:.0f}" ' if standalone else ""
    for name, (light, _) in SCHEMES.items():
        body = body.replace(light, f"var(--{name})")
    return f"<svg {links} {size}{box}><title>{escape(title)}</title>{style}{body}"


def _rounded(tag: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", tag[0])
