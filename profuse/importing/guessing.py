"""Pure: what a text is written in, told by its bytes."""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Letters beyond ASCII that touch each other: whole words of them are Cyrillic, single ones are accents.
_TOUCHING = re.compile(rb"[\xa8\xb8\xc0-\xff]{2,}")
_ASCII, _BELOW_32 = bytes(range(0x80)), bytes(range(0x20))
# Whole letters, and few enough that a wrong one later is told as such.
_FIRST = 1_000


def marked(start: bytes) -> str | None:
    """By the mark that it begins with."""
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)


def wide(start: bytes) -> str | None:
    """Without a mark, by letters of four bytes or of two."""
    for encoding in ("utf-32-le", "utf-32-be"):
        if _is_utf32(start[:_FIRST], encoding):
            return encoding
    for high, encoding in enumerate(("utf-16-be", "utf-16-le")):
        if _is_utf16(start[high::2], start[1 - high :: 2]):
            return encoding
    return None


def _is_utf32(start: bytes, encoding: str) -> bool:
    """Of four bytes that mean something else hardly any are a letter in it."""
    try:
        return bool(start.decode(encoding, "surrogatepass"))
    except UnicodeDecodeError:
        return False


def _is_utf16(high: bytes, low: bytes) -> bool:
    """Upper halves of letters are NUL in ASCII and below 32 in whatever has an alphabet; a text that holds NULs has them anywhere."""
    alphabets = len(high) - len(high.translate(None, _BELOW_32))
    return high.count(0) > 2 * low.count(0) and 2 * alphabets > len(high)


class Letters:
    """Counts, block by block, what tells UTF-8 from the encodings of one byte."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._good = self._broken = 0
        self._high = self._touching = 0

    def add(self, block: bytes) -> None:
        text = self._decoder.decode(block)
        if text.isascii():
            return
        # What cannot be decoded is half of a surrogate pair in the text, which is not encoded again unless somebody asks for it.
        broken = len(text.encode(errors="surrogateescape")) - len(text.encode(errors="ignore"))
        self._broken += broken
        self._good += len(text) - len(text.encode("ascii", errors="ignore")) - broken
        # Looking for words takes longer than all the rest, and nobody asks it of UTF-8.
        if broken:
            self._high += len(block.translate(None, _ASCII))
            self._touching += sum(map(len, _TOUCHING.findall(block)))

    @property
    def encoding(self) -> str:
        # A few broken letters among whole ones are broken UTF-8, and cost their own rows; in other encodings hardly one is whole.
        if self._broken <= self._good:
            return "utf-8"
        return "cp1251" if self._touching * 2 > self._high else "cp1252"
