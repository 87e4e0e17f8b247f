"""What stands in the documents, to be done to the letter."""

import re

from checkouts import ROOT


def commands(document: str, *, in_container: bool = False) -> list[str]:
    """What follows the prompt in a document's console blocks, for containers or for the host."""
    found = re.findall(r"```console\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    lines = [
        line
        for block in found
        if ("STAGE_ENGINE" in block) == in_container
        for line in block.splitlines()
    ]
    return [line[2:] for line in lines if line.startswith("$ ")]


def blocks(document: str) -> list[str]:
    """A document's YAML blocks."""
    found = re.findall(r"```yaml\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    return [re.sub("^   ", "", block, flags=re.MULTILINE) for block in found]
