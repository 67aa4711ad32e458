"""Whether the URL of a server is read as it was meant; it is never quoted, for a piece of it may be a password's."""

import re
from urllib.parse import SplitResult, parse_qs, urlsplit

from schemas.bounds import LAST_PORT

_SERVER = re.compile(r"(?:\[[0-9A-Fa-f:.]+(?:%[^\s\]]+)?\]|[^\s:@\[\]]*)(?::(?P<port>[0-9]{1,5}))?")
# As it is written into a header of mails, which takes ASCII only, and no line without an end.
_PUBLIC = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(?::(?P<port>[0-9]{1,5}))?")
_SPECIAL = "with what is special in a user's name or password written like %40 (@), %2F (/), %3F (?), %23 (#), %25 (%)"


def postgres(given: str) -> str:
    """The same; raises `ValueError` where asyncpg would see other parts than were meant, or none."""
    parts = _parts(given)
    user, _, servers = parts.netloc.rpartition("@")
    readable = parts.scheme in ("postgresql", "postgres") and _ends_well(parts) and all(map(_is_server, servers.split(",")))
    # The driver looks for the first @, and takes whatever follows for the server.
    if not readable or "@" in user or not _is_query(parts.query):
        raise ValueError(f"it cannot be read; write postgresql://user:password@host:5432/database, {_SPECIAL}")
    return given


def smtp(given: str) -> str:
    """The same; raises `ValueError` where nothing could be connected to."""
    parts = _parts(given)
    server = parts.netloc.rpartition("@")[2]
    if not server or not _is_server(server) or not _ends_well(parts) or "@" in parts.query:
        raise ValueError(f"it cannot be read; write smtp://user:password@host:25, {_SPECIAL}")
    return given


def public(given: str) -> str:
    """The same; raises `ValueError` where a mail could not carry a link to it."""
    found = _PUBLIC.fullmatch(given)
    if found is None or not is_port(found["port"]):
        raise ValueError("write https://mail.example.com, with no path, and letters beyond ASCII in A-labels, as xn--bcher-kva.example")
    return given


def room(given: str) -> str:
    """The same without a slash at its end; raises `ValueError` for what no process of ours could be asked at."""
    parts = _parts(given)
    is_whole = parts.scheme == "http" and bool(parts.hostname) and parts.path in ("", "/") and not (parts.query or parts.fragment)
    if not is_whole or not _is_server(parts.netloc) or not _is_name(parts.hostname or ""):
        raise ValueError("it cannot be read; write http://host:9090")
    return given.rstrip("/")


def is_port(given: str | None) -> bool:
    """Whether it can be connected to; None is one that is left out."""
    return given is None or 1 <= int(given) <= LAST_PORT


def _parts(given: str) -> SplitResult:
    try:
        return urlsplit(given)
    except ValueError:
        return SplitResult("", "", "", "", "")


def _ends_well(parts: SplitResult) -> bool:
    """Not with the rest of a password, which a / or # cut in two."""
    return "@" not in parts.path and not parts.fragment


def _is_server(given: str) -> bool:
    found = _SERVER.fullmatch(given)
    return found is not None and is_port(found["port"])


def _is_name(host: str) -> bool:
    """Whether it can be looked up at all: no part of it is empty or too long."""
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False


def _is_query(given: str) -> bool:
    try:
        return not given or bool(parse_qs(given, strict_parsing=True))
    except ValueError:
        return False
