"""Show the report: print its path, and open it in a browser when called at a terminal."""

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from shallowdeep.files.errors import InputError

REPORT = Path("results/report.html")


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    return argparse.ArgumentParser("shallowdeep report", description=__doc__)


def main(arguments: Sequence[str]) -> None:
    """Print the path of results/report.html and open it."""
    parser().parse_args(arguments)
    if not REPORT.is_file():
        raise InputError(f"{REPORT}: no such file; `dvc repro` makes it")
    print(REPORT.absolute())
    if sys.stdout.isatty():
        webbrowser.open(REPORT.absolute().as_uri())
