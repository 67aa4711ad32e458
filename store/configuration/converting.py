"""What libraries make of a mail's HTML; in a process of its own, as there is HTML that takes them hours and all memory."""

import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from struct import Struct
from threading import Event, Timer
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
# Characters, given and made, that are not converted again.
_KNOWN = 32 * 1024**2
# Which conversion, or how it went, and the bytes that follow.
_HEAD = Struct(">BI")
# How it went, or its process ended; Python itself says 1 or 2 where nobody foresaw why.
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
    if kept := _KEPT.get():
        return kept.made(what, html)
    alone = _Kept()
    try:
        return alone.made(what, html)
    finally:
        alone.end()


@contextmanager
def keeping() -> Iterator[None]:
    """Whatever is converted meanwhile is converted by the same process, which takes long to begin, and once."""
    kept = _Kept()
    before = _KEPT.set(kept)
    try:
        yield
    finally:
        _KEPT.reset(before)
        kept.end()


class _Kept:
    """A process that converts one text after the other; another one takes the place of one that came to an end."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._known: dict[tuple[str, str], str | None] = {}
        self._room = _KNOWN

    def made(self, what: str, html: str) -> str | None:
        if (what, html) in self._known:
            return self._known[what, html]
        made = self._converted(what, html)
        self._room -= len(html) + len(made or "")
        if self._room > 0:
            self._known[what, html] = made
        return made

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in _pipes(process):
                # What could not be written may be left.
                with suppress(BrokenPipeError):
                    pipe.close()
            process.wait()

    def _converted(self, what: str, html: str) -> str | None:
        is_new = self._process is None
        process = self._process = self._process or _begun()
        late = Event()

        def give_up() -> None:
            late.set()
            process.kill()

        end = Timer(_SECONDS, give_up)
        end.start()
        try:
            done, made = _answered(process, what, html.encode())
        finally:
            end.cancel()
            end.join()
            if late.is_set() or process.returncode is not None:
                self.end()
        if done == _DONE:
            return made.decode()
        if done == _REFUSED:
            raise ValueError(made.decode())
        if process.returncode is None or late.is_set():
            return None
        # What others left of its memory may not have been enough.
        if not is_new:
            return self._converted(what, html)
        if process.returncode > _DONE and process.returncode != _TOO_MUCH:
            raise RuntimeError(made.decode(errors="replace"))
        # What is left is too much: of memory, whose end comes in several ways, or of what was made.
        return None


_KEPT: ContextVar[_Kept | None] = ContextVar("_KEPT", default=None)


def _begun() -> subprocess.Popen[bytes]:
    # Of the directory in which it is started nothing is imported.
    command, pipe = [sys.executable, "-P", __file__], subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    return cast("tuple[IO[bytes], IO[bytes], IO[bytes]]", (process.stdin, process.stdout, process.stderr))


def _answered(process: subprocess.Popen[bytes], what: str, html: bytes) -> tuple[int | None, bytes]:
    """What came of it; None if it ended, and why. No more is read than may be, whatever it writes."""
    given, answer, reason = _pipes(process)
    # It may end before it has read everything.
    with suppress(BrokenPipeError):
        given.write(_HEAD.pack(list(_MAKE).index(what), len(html)) + html)
        given.flush()
    head = answer.read(_HEAD.size)
    if len(head) == _HEAD.size:
        done, length = _HEAD.unpack(head)
        if length > _LONGEST:
            process.kill()
        elif len(made := answer.read(length)) == length:
            return done, made
    # Whatever it still writes there.
    answer.close()
    why = reason.read(_LONGEST_REASON)
    process.wait()
    return None, why


def _main() -> int:
    """Until nothing is given any more."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := given.read(_HEAD.size):
        which, length = _HEAD.unpack(head)
        _limit_time()
        try:
            done, made = _tried(list(_MAKE)[which], given.read(length))
        except MemoryError:
            return _TOO_MUCH
        answers.write(_HEAD.pack(done, len(made)))
        answers.write(made)
        answers.flush()
    return _DONE


def _limit_time() -> None:
    """If whoever waits for it is killed, nobody else ends it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 2 * _SECONDS, most))


def _tried(what: str, html: bytes) -> tuple[int, bytes]:
    try:
        made = _MAKE[what](html.decode()).encode()
    except ValueError as why:
        return _REFUSED, str(why).encode()[:_LONGEST_REASON]
    return (_DONE, made) if len(made) <= _LONGEST else (_TOO_MUCH, b"")


if __name__ == "__main__":
    sys.exit(_main())
