"""Which addresses a mail can carry, and how a sender is written."""

import re
from functools import lru_cache

# As it is written into headers and commands, so nothing that would have to be quoted there: atoms with dots between them.
# Letters of any script may stand before the @; domains are stored in ASCII.
_ATOM = r"[^\s\x00-\x20\x7f-\x9f()<>@,;:\\\"\[\].]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
# A name with a comma looks like two.
_PLAIN = re.compile(r'[^",;\\]*')
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def usable(address: str) -> bool:
    # Readers would show an encoded word as another address.
    return "=?" not in address and _ADDRESS.fullmatch(address) is not None


@lru_cache(maxsize=1024)
def parted(sender: str) -> tuple[str, str]:
    """The name and the address of `Demo <demo@example.com>`, or of the address alone; both are empty if it is written in no such way."""
    before, opened, rest = sender.strip().partition("<")
    inside, closed, behind = rest.partition(">")
    if bool(opened) != bool(closed) or behind or any(bracket in part for part in (before, inside) for bracket in "<>"):
        return "", ""
    if not opened:
        return "", before
    name = before.rstrip()
    if quoted := _QUOTED.fullmatch(name):
        name = re.sub(r"\\(.)", r"\1", quoted[1])
    return name, inside.strip()


def written(name: str, address: str) -> str:
    """A sender as `parted` reads it, always in the same spelling: quoted where a person would."""
    if not name:
        return address
    plain = f"{name} <{address}>"
    if _PLAIN.fullmatch(name) and parted(plain) == (name, address):
        return plain
    quoted = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{quoted}" <{address}>'
