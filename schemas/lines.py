"""Text that is one line, in whatever language."""

import unicodedata

# Controls, and what ends a line or a paragraph, could begin another header or row; half a character cannot be written at all.
_BROKEN = frozenset(("Cc", "Zl", "Zp", "Cs"))
# Blanks and what joins or turns letters is part of a text, and no text by itself; what this Python does not know yet may be an emoji.
_UNSEEN = frozenset(("Zs", "Cf"))


def is_unbroken(text: str) -> bool:
    """Whether it is of one line."""
    return _BROKEN.isdisjoint(map(unicodedata.category, text))


def is_line(text: str) -> bool:
    """The same, and something is seen of it."""
    return is_unbroken(text) and not _UNSEEN.issuperset(map(unicodedata.category, text))
