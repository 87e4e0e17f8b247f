"""Entry point: `python -m shallowdeep COMMAND`, installed as `shallowdeep` too."""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # the current folder: a torch.py there is not ours

import importlib
from collections.abc import Sequence

import shallowdeep
from shallowdeep.commands.registry import COMMANDS
from shallowdeep.files.errors import one_line_errors
from shallowdeep.files.imports import importing


def usage() -> str:
    """All commands, one per line."""
    lines = [f"  {name:<15}{command.about}" for name, command in COMMANDS.items()]
    head = "usage: python -m shallowdeep COMMAND ...\n\n"
    return head + "\n".join(lines) + "\n\n`python -m shallowdeep COMMAND --help` says more."


def main(words: Sequence[str] | None = None) -> None:
    """Run a command; exit status 2 if there is none of this name."""
    name, *arguments = (sys.argv[1:] if words is None else words) or ["--help"]
    with one_line_errors(name if name in COMMANDS else "shallowdeep"):
        if name in ("-h", "--help"):
            print(usage())
        elif name == "--version":
            print(f"shallowdeep {shallowdeep.__version__}")
        elif name in COMMANDS:
            with importing():
                module = importlib.import_module(f"shallowdeep.{COMMANDS[name].module}")
            module.main(arguments)
        else:
            print(f"shallowdeep: unknown command {name!r}\n{usage()}", file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main()
