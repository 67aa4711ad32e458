"""Which addresses a mail can carry, and how a sender is written."""

import re
from functools import lru_cache

# As it is written into headers and commands, so nothing that would have to be quoted there: atoms with dots between them.
# Letters of any script may stand before the @; domains are stored in ASCII.
_ATOM = r"[^\s\x00-\x20\x7f-\x9f()<>@,;:\\\"\[\].]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
# `Demo <demo@example.com>`, or the address alone.
_SENDER = re.compile(r"\s*(?P<name>[^<>]*?)\s*<\s*(?P<address>[^<>]*?)\s*>\s*|\s*(?P<bare>[^<>]*?)\s*")
# A name with a comma looks like two.
_PLAIN = re.compile(r'[^",;\\]*')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def usable(address: str) -> bool:
    # Readers would show an encoded word as another address.
    return "=?" not in address and _ADDRESS.fullmatch(address) is not None


@lru_cache(maxsize=1024)
def parted(sender: str) -> tuple[str, str]:
    """A sender's display name, which may be empty, and its address; both are empty if it is written in no such way."""
    parts = _SENDER.fullmatch(sender)
    if parts is None:
        return "", ""
    name = parts["name"] or ""
    if quoted := _QUOTED.fullmatch(name):
        name = re.sub(r"\\(.)", r"\1", quoted[1])
    return name, parts["bare"] if parts["address"] is None else parts["address"]


def written(name: str, address: str) -> str:
    """A sender as `parted` reads it, always in the same spelling: quoted where a person would."""
    if not name:
        return address
    plain = f"{name} <{address}>"
    if _PLAIN.fullmatch(name) and parted(plain) == (name, address):
        return plain
    quoted = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{quoted}" <{address}>'
