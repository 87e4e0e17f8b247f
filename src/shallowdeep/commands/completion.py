"""Print a script that completes commands, options and files: eval "$(shallowdeep completion bash)".

The line belongs in ~/.bashrc, or with `zsh` in ~/.zshrc, after `autoload -Uz compinit; compinit`.
"""

import argparse
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import shtab

from shallowdeep.commands.registry import COMMANDS


def every_command() -> argparse.ArgumentParser:
    """Options of all commands together."""
    every = argparse.ArgumentParser("shallowdeep")
    every.add_argument("--version", action="store_true")
    commands = every.add_subparsers()
    for name, command in COMMANDS.items():
        one = import_module(f"shallowdeep.{command.module}").parser()
        for action in one._actions:
            if action.type is Path or action.dest == "picture":
                action.complete = shtab.FILE
        commands.add_parser(name, parents=[one], add_help=False, help=command.about)
    return every


def parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    about, _, more = (__doc__ or "").partition("\n")
    options = argparse.ArgumentParser("shallowdeep completion", description=about, epilog=more)
    options.add_argument("shell", choices=("bash", "zsh"))
    return options


def main(arguments: Sequence[str]) -> None:
    """Print the script."""
    print(shtab.complete(every_command(), shell=parser().parse_args(arguments).shell))
