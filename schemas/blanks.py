"""Text as it is compared."""

import unicodedata

# What no language writes (Unicode's stream-safe format draws the same line).
_MOST_MARKS = 30


def composed(text: str) -> str:
    """Letters and their accents put together (NFC); text with more accents than anybody writes stays as it is."""
    if text.isascii() or (len(text) > _MOST_MARKS and _is_piled_up(text)):
        return text
    return unicodedata.normalize("NFC", text)


def is_blank(value: object) -> bool:
    """Nothing but white space, no-break spaces included."""
    return isinstance(value, str) and (not value or value.isspace())


def _is_piled_up(text: str) -> bool:
    """Whether marks follow each other without an end; sorting 120,000 of them would take half a minute."""
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > _MOST_MARKS:
            return True
    return False
