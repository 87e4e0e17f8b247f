"""Escapes for names from outside, so that no page takes them for markup.

DVC copies tables into a script element unescaped, and a file may have the name
``x</script><img src=x onerror=...>.jpg``.
"""

import re

# As in JSON that web frameworks put into pages; with the backslash, all can be undone.
ESCAPES = {"\\": "\\\\", "<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def escape(text: str) -> str:
    """Escape ``<``, ``>``, ``&`` and the backslash."""
    return "".join(ESCAPES.get(character, character) for character in text)


def unescape(text: str) -> str:
    """Undo `escape`; other escapes stay."""
    characters = {escaped: character for character, escaped in ESCAPES.items()}
    return re.sub(r"\\(\\|u003[ce]|u0026)", lambda found: characters[found[0]], text)
