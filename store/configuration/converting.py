"""What libraries make of a mail's HTML; in a process of its own, as there is HTML that takes them hours and all memory."""

import re
import resource
import subprocess
import sys
from contextlib import suppress
from threading import Timer
from typing import IO, cast

import css_inline
from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping

# Characters; of what is shorter, and has no styles, the worst takes a hundredth of a second.
SHORT = 2 * 1024
# However short: selectors inside one another are tried for all elements of all elements, and each margin may be 100,000 wide.
_STYLES = re.compile("style", re.IGNORECASE)
_SECONDS = 5
# Two of them beside a gateway fit into its container, which ends as a whole where its memory does; 3 MB of newsletter take half of it.
_MEMORY = 256 * 1024**2
# Bytes of what is made, and of why it is not.
_LONGEST, _LONGEST_REASON = 8 * 1024**2, 64 * 1024
# How its process ends; Python itself says 1 or 2 where nobody foresaw why.
_DONE, _TOO_MUCH, _REFUSED = 0, 3, 4
_OF_TABLES = ("table", "tr", "td", "th")


def is_quick(html: str) -> bool:
    """Whether it is converted in a moment, by whoever asks."""
    return len(html) < SHORT and not _STYLES.search(html)


def inlined(html: str) -> str:
    """With its styles in its elements; what lies elsewhere is not fetched. Raises `ValueError` where there is no way."""
    return _made("inlined", html)


def text(html: str) -> str:
    """As it is read without its markup; raises `ValueError` where there is no way."""
    return _made("text", html)


def in_order(html: str) -> str:
    """The same with no table laid out: each cell by itself, so that all stands in the order in which it is written."""
    return _made("ordered", html)


def _made(what: str, html: str) -> str:
    made = _MAKE[what](html) if is_quick(html) else _apart(what, html)
    if made is None or len(made) > _LONGEST:
        raise ValueError(f"is too complicated: no {what} version of it, of {_LONGEST:,} bytes at most, can be made within {_SECONDS} s")
    return made


def _inlined(html: str) -> str:
    return css_inline.inline(html, load_remote_stylesheets=False, keep_link_tags=True)


def _text(html: str) -> str:
    return str(get_text(html)).strip()


def _in_order(html: str) -> str:
    blocks = {name: HtmlElement(display=Display.block) for name in _OF_TABLES}
    no_layout = CustomHtmlTagHandlerMapping(dict.fromkeys(_OF_TABLES, _as_others), dict.fromkeys(_OF_TABLES, _as_others))
    config = ParserConfig(css=CSS_PROFILES["relaxed"] | blocks, custom_html_tag_handler_mapping=no_layout)
    return str(get_text(html, config)).strip()


def _as_others(*_: object) -> None:
    """A table's element, as one that is no table's."""


_MAKE = {"inlined": _inlined, "text": _text, "ordered": _in_order}


def _apart(what: str, html: str) -> str | None:
    """None for what takes too long, or too much."""
    # Of the directory in which it is started nothing is imported.
    command = [sys.executable, "-P", __file__, what]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        made, why = _answered(process, html.encode())
    if process.returncode == _DONE and len(made) <= _LONGEST:
        return made.decode()
    if process.returncode == _REFUSED:
        raise ValueError(why.decode())
    if process.returncode > _DONE and process.returncode != _TOO_MUCH:
        raise RuntimeError(why.decode(errors="replace"))
    # What is left is too much: of time, of memory, whose end comes in several ways, or of what was made.
    return None


def _answered(process: subprocess.Popen[bytes], html: bytes) -> tuple[bytes, bytes]:
    """What it made, and why not; no more of it than may be, whatever it writes."""
    given, answer, reason = cast("tuple[IO[bytes], IO[bytes], IO[bytes]]", (process.stdin, process.stdout, process.stderr))
    end = Timer(_SECONDS, process.kill)
    end.start()
    try:
        # It may end before it has read everything.
        with suppress(BrokenPipeError), given:
            given.write(html)
        made = answer.read(_LONGEST + 1)
        if len(made) > _LONGEST:
            process.kill()
        why = reason.read(_LONGEST_REASON)
        process.wait()
    finally:
        end.cancel()
    return made, why


def _main(what: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    # If whoever waits for it is killed, nobody else ends it.
    resource.setrlimit(resource.RLIMIT_CPU, (2 * _SECONDS, 2 * _SECONDS))
    try:
        made = _MAKE[what](sys.stdin.buffer.read().decode()).encode()
        if len(made) > _LONGEST:
            return _TOO_MUCH
        sys.stdout.buffer.write(made)
    except MemoryError:
        return _TOO_MUCH
    except ValueError as why:
        sys.stderr.buffer.write(str(why).encode())
        return _REFUSED
    return _DONE


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
