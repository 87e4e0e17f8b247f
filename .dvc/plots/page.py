"""page.html, page.js, Vega -> page.local.html, which `dvc plots` fills in: it needs no network.

Vega is 0.9 MB and not in git: it comes with the locked vl-convert-python. `make setup` runs this,
and docker/run does where that has not been.
"""

import base64
import hashlib
from pathlib import Path

import vl_convert
from dvc.config import Config

from shallowdeep.files.atomic import write_text

HERE = Path(__file__).parent
PAGE = HERE / "page.local.html"
VEGA_LITE = "5.21"  # the templates' `$schema` is version 5, for DVC's other ways to draw them
LICENCES = (
    "Vega, Vega-Lite, Vega-Embed, Vega-Tooltip: (c) University of Washington Interactive Data Lab,"
    " BSD 3-Clause; with D3 (ISC) and other packages under ISC and MIT"
)


def page() -> str:
    """The page with its script, which its policy names by hash: no other one runs."""
    script = vl_convert.javascript_bundle((HERE / "page.js").read_text("utf-8"), VEGA_LITE)
    script = f"/* {LICENCES} */\n{script}"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = (HERE / "page.html").read_text("utf-8")
    policy = f"default-src 'none'; script-src 'sha256-{digest}'"
    text = text.replace("default-src 'none'", policy, 1)
    return text.replace("</head>", f'<script type="module">{script}</script>\n</head>', 1)


def main() -> None:
    """Write the page, and tell DVC of it unless another one has been chosen here."""
    write_text(PAGE, page())  # stages may begin at once
    with Config(str(HERE.parent)).edit("local") as config:
        config["plots"].setdefault("html_template", PAGE.relative_to(HERE.parent).as_posix())


if __name__ == "__main__":
    main()
