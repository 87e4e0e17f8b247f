"""Tables for the terminal and for pull requests."""

from collections.abc import Sequence
from typing import Literal

import pandas as pd


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, style: Literal["plain", "pipe"] = "plain"
) -> str:
    """Rows of cells in columns.

    Args:
        head: names of the columns.
        rows: cells as they are to be read.
        style: `plain` for the terminal, `pipe` for Markdown.
    """
    frame = pd.DataFrame(list(rows), columns=list(head), dtype=object)
    return frame.to_markdown(index=False, tablefmt=style, disable_numparse=True)
