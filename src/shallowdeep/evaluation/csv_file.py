"""Tables as CSV files. `tables` imports scikit-learn, this module does not."""

from pathlib import Path

import pandas as pd

from shallowdeep.files.atomic import replacing
from shallowdeep.files.markup import escape

DECIMALS = 6


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, numbers with DECIMALS decimals, names without markup."""
    names = table.select_dtypes(exclude="number").map(escape, na_action="ignore")
    with replacing(path) as new:
        table.assign(**names).to_csv(
            new,
            index=False,
            float_format=f"%.{DECIMALS}f",
            lineterminator="\n",
            errors="backslashreplace",  # of names that are not UTF-8
        )
