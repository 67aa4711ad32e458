"""What libraries make of a mail's HTML; of a long one in a process of its own, as there is HTML that takes them hours and all memory."""

import resource
import subprocess
import sys
from functools import lru_cache

import css_inline
from inscriptis import get_text

# Characters; of what is shorter the worst takes two tenths of a second.
_SHORT = 16 * 1024
_SECONDS = 10
_MEMORY = 1024**3
_LONGEST = 8 * 1024**2


class TooComplicated(ValueError):
    """Nothing can be made of it within the time and the memory that there is for it."""


# It is asked for twice: whether it can be made, and what it is.
@lru_cache(maxsize=1)
def inlined(html: str) -> str:
    """With its styles in its elements; what lies elsewhere is not fetched. Raises `ValueError` where there is no way."""
    return _inlined(html) if len(html) < _SHORT else _apart("inlined", html)


def text(html: str) -> str:
    """As it is read without its markup; raises `TooComplicated`."""
    return _text(html) if len(html) < _SHORT else _apart("text", html)


def _inlined(html: str) -> str:
    return css_inline.inline(html, load_remote_stylesheets=False, keep_link_tags=True)


def _text(html: str) -> str:
    return str(get_text(html)).strip()


def _apart(what: str, html: str) -> str:
    command = [sys.executable, "-m", __name__, what]
    try:
        made = subprocess.run(command, input=html.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_SECONDS, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise TooComplicated(f"is too complicated: no {what} version of it could be made within {_SECONDS} s") from None
    if len(made.stdout) > _LONGEST:
        raise TooComplicated(f"is too complicated: the {what} version of it has {len(made.stdout):,} bytes")
    return made.stdout.decode()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    given = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write({"inlined": _inlined, "text": _text}[sys.argv[1]](given).encode())
