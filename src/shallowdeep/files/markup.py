"""Names from outside, written so that no page that shows them can take them for markup.

DVC puts the text of a table into a script element as it stands, and a file may be called
``x</script><img src=x onerror=...>.jpg``.
"""

import re

# As in the JSON that web frameworks put into pages; the backslash, so that all can be undone.
ESCAPES = {"\\": "\\\\", "<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def escape(text: str) -> str:
    """Text without ``<``, ``>`` and ``&``."""
    return "".join(ESCAPES.get(character, character) for character in text)


def unescape(text: str) -> str:
    """Undo `escape`. Other escapes stay as they are."""
    characters = {escaped: character for character, escaped in ESCAPES.items()}
    return re.sub(r"\\(\\|u003[ce]|u0026)", lambda found: characters[found[0]], text)
