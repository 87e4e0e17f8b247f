"""Commands and recipes of the documents, to be followed to the letter."""

import re

from checkouts import ROOT


def commands(document: str, *, in_container: bool = False) -> list[str]:
    """Return the commands in a document's console blocks, for containers or for the host."""
    lines = [
        line
        for block in blocks(document, "console")
        if ("STAGE_ENGINE" in block) == in_container
        for line in block.splitlines()
    ]
    return [line[2:] for line in lines if line.startswith("$ ")]


def blocks(document: str, language: str) -> list[str]:
    """Return a document's code blocks in one language."""
    found = re.findall(rf"```{language}\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    return [re.sub("^   ", "", block, flags=re.MULTILINE) for block in found]
