"""Pure: text as the lines of a mail's header.

Everything is encoded here, and nothing is handed to a parser of headers: one that decodes what it is given makes other headers of it.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote

# A line that holds an encoded word has at most so many characters, and the word itself one less.
_LONGEST_LINE = 76
_LONGEST_WORD = 75
# What stands around the letters of an encoded word.
_AROUND = len("=?utf-8?b??=")

# Words that need no encoding; each fits beside a header's name.
_PLAIN = re.compile(r"[!-~]{1,60}(?: [!-~]{1,60})*")
_ATOMS = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]{1,60}(?: [\w!#$%&'*+/=?^`{|}~-]{1,60})*", re.ASCII)
_QUOTABLE = re.compile(r"[ -~]{1,60}")
# Whatever could end a header, and begin another one, is a blank.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# What a reader takes for the beginning of an encoded word, wherever it stands.
_ENCODED = "=?"

# What a parameter's value may hold besides letters and digits.
_PARAMETER = "!#$&+^`{}|~"
_LONGEST_SECTION = 55


def one_line(value: str) -> str:
    return _CONTROL.sub(" ", value)


def text(name: str, value: str) -> bytes:
    """A header of any text: readers show it blank for blank."""
    value = one_line(value)
    plain = _ENCODED not in value and _PLAIN.fullmatch(value)
    return folded(name, value.split(" ") if plain else _words(value, _LONGEST_LINE - len(name) - 2))


def mailbox(name: str, display: str, address: str) -> bytes:
    """A header of one address and its display name, which may be empty; both are one line."""
    if not display:
        return folded(name, [address])
    return folded(name, [*_phrase(display, _LONGEST_LINE - len(name) - 2), f"<{address}>"])


def file_name(value: str) -> Iterator[str]:
    """The parameters that say a file's name."""
    value = one_line(value)
    if _ENCODED not in value and _QUOTABLE.fullmatch(value):
        yield f"filename={_quoted(value)}"
        return
    sections = list(_sections(value))
    if len(sections) == 1:
        yield f"filename*=utf-8''{sections[0]}"
        return
    for at, section in enumerate(sections):
        yield f"filename*{at}*={section}" if at else f"filename*0*=utf-8''{section}"


def folded(name: str, tokens: Iterable[str]) -> bytes:
    """The header without its last line end; a line is broken between tokens only, and the first one stays beside the name."""
    lines = [f"{name}:"]
    for at, token in enumerate(tokens):
        if at and len(lines[-1]) + 1 + len(token) > _LONGEST_LINE:
            lines.append("")
        lines[-1] += f" {token}"
    return "\r\n".join(lines).encode()


def _phrase(display: str, left: int) -> Iterable[str]:
    if _ENCODED not in display:
        if _ATOMS.fullmatch(display):
            return display.split(" ")
        if _QUOTABLE.fullmatch(display):
            return [_quoted(display)]
    return _words(display, left)


def _quoted(value: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def _words(value: str, left: int) -> Iterator[str]:
    """Encoded words, the first of at most `left` characters. A reader drops the blanks between them, so all blanks are inside."""
    letters = value.encode()
    start = 0
    while start < len(letters):
        end = _whole(letters, start + (left - _AROUND) // 4 * 3)
        yield f"=?utf-8?b?{b64encode(letters[start:end]).decode()}?="
        start, left = end, _LONGEST_WORD


def _whole(letters: bytes, end: int) -> int:
    """The last place up to `end` that cuts no character: readers decode each word by itself."""
    while end < len(letters) and letters[end] & 0xC0 == 0x80:
        end -= 1
    return end


def _sections(value: str) -> Iterator[str]:
    section = ""
    for letter in value:
        spelled = quote(letter, safe=_PARAMETER)
        if len(section) + len(spelled) > _LONGEST_SECTION:
            yield section
            section = ""
        section += spelled
    yield section
