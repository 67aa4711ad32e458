"""What libraries make of a mail's HTML; of a long one in a process of its own, as there is HTML that takes them hours and all memory."""

import resource
import subprocess
import sys
from contextlib import suppress

import css_inline
from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping

# Characters; of what is shorter the worst takes two tenths of a second.
_SHORT = 16 * 1024
_SECONDS = 5
_MEMORY = 1024**3
_LONGEST = 8 * 1024**2
# How its process ends; Python itself says 1 or 2 where nobody foresaw why.
_DONE, _NO_MEMORY, _REFUSED = 0, 3, 4
_OF_TABLES = ("table", "tr", "td", "th")


def inlined(html: str) -> str:
    """With its styles in its elements; what lies elsewhere is not fetched. Raises `ValueError` where there is no way."""
    return _inlined(html) if len(html) < _SHORT else _from_apart("inlined", html)


def text(html: str) -> str:
    """As it is read without its markup; raises `ValueError` where there is no way."""
    return _text(html) if len(html) < _SHORT else _from_apart("text", html)


def in_order(html: str) -> str:
    """The same with no table laid out: each cell by itself, so that all stands in the order in which it is written."""
    return _in_order(html) if len(html) < _SHORT else _from_apart("ordered", html)


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


def _from_apart(what: str, html: str) -> str:
    if (made := _apart(what, html)) is None:
        raise ValueError(f"is too complicated: no {what} version of it can be made within {_SECONDS} s")
    return made


def _apart(what: str, html: str) -> str | None:
    """None for what takes too long, or too much."""
    # Of the directory in which it is started nothing is imported.
    command = [sys.executable, "-P", __file__, what]
    with suppress(subprocess.TimeoutExpired):
        made = subprocess.run(command, input=html.encode(), capture_output=True, timeout=_SECONDS, check=False)
        if made.returncode == _DONE and len(made.stdout) <= _LONGEST:
            return made.stdout.decode()
        if made.returncode == _REFUSED:
            raise ValueError(made.stderr.decode())
        if made.returncode > _DONE and made.returncode != _NO_MEMORY:
            raise RuntimeError(made.stderr.decode(errors="replace"))
        # What is left is too much: of memory, whose end comes in several ways, or of what was made.
    return None


def _main(what: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        sys.stdout.buffer.write(_MAKE[what](sys.stdin.buffer.read().decode()).encode())
    except MemoryError:
        return _NO_MEMORY
    except ValueError as why:
        sys.stderr.buffer.write(str(why).encode())
        return _REFUSED
    return _DONE


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
