"""Does a deeper network help on these pictures? Many runs, an interval, the same bits anywhere.

In Python, `results` reads an experiment as tables, and `compare` judges anyone's predictions.
"""

TYPE_CHECKING = False  # not by an import: with `python -m`, a typing.py may lie in the folder
if TYPE_CHECKING:
    from shallowdeep.api import compare, results

__all__ = ["compare", "results"]


def __getattr__(name: str) -> object:
    """Import the API on first use, since commands and stages need no DVC for it."""
    if name == "__version__":
        from importlib.metadata import version

        return version("shallowdeep")
    if name in __all__:
        from shallowdeep import api

        return getattr(api, name)
    raise AttributeError(f"module 'shallowdeep' has no attribute {name!r}")
