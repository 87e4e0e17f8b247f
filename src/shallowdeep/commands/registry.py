"""All commands, by name: each is a module with `parser` and `main`."""

from typing import NamedTuple


class Command(NamedTuple):
    """One command: a module whose `main` takes the words after the command's name."""

    module: str  # imported only when it is called, since some import torch
    about: str


COMMANDS = {
    "check": Command("commands.check", "look at the files of data.dir before DVC does"),
    "predict": Command("commands.predict", "predict the class of pictures with a trained model"),
    "report": Command("commands.report", "open results/report.html, or print its path"),
    "experiments": Command(
        "commands.experiments_table", "all experiments, their verdicts, a line each"
    ),
    "compare": Command("commands.compare", "two experiments side by side, real changes marked"),
    "sweep": Command("commands.sweep", "many experiments, and a table of their results"),
    "gate": Command("commands.gate", "fail where a metric is worse than in a baseline"),
    "verify": Command("commands.verify", "prove that a clean run gives the committed results"),
    "crate": Command("commands.crate", "results and their provenance as one RO-Crate"),
    "completion": Command("commands.completion", "completion of all of these in bash or zsh"),
    "sample": Command("datasets.sample", "draw the embedded sample of cats and dogs"),
    "oxford-pets": Command("datasets.oxford_pets", "download the Oxford-IIIT Pet photographs"),
}
