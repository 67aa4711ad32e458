"""Which addresses may be called: what an account names as its provider must not open the operator's own network."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Network = IPv4Network | IPv6Network

# Linux takes an address of zeros for its own.
_HERE = IPv4Address("127.0.0.1"), IPv6Address("::1")
# Whose last four bytes are an IPv4 address that gateways or the system may send it on to: NAT64, translated and compatible ones.
_WITH_IPV4 = tuple(map(IPv6Network, ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")))


class Denied(PermissionError):
    """The address is one that must not be called; an `OSError`, as every address that cannot be."""


@dataclass(frozen=True)
class Reach:
    """What is denied is never called; where something is allowed, nothing else is."""

    allowed: Sequence[Network] = ()
    denied: Sequence[Network] = ()

    def permits(self, address: str) -> bool:
        found = _plain(address)
        if any(each in network for each in (found, *_reached_by(found)) for network in self.denied):
            return False
        return not self.allowed or any(found in network for network in self.allowed)

    def socket(self, resolved: Any) -> socket.socket:
        """A socket for one address of a name, as it was resolved for this very connection; raises `Denied`.

        Asked here and not before, or a name could mean one address when it is asked and another one when it is called.
        """
        family, kind, protocol, _, address = resolved
        if not self.permits(address[0]):
            raise Denied("the address is none that may be called")
        return socket.socket(family, kind, protocol)


def _plain(address: str) -> IPv4Address | IPv6Address:
    # A scope is no part of an address; an IPv4 one may be written as IPv6.
    found = ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _reached_by(found: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Where else a connection to it may end."""
    if found.is_unspecified:
        return [*_HERE]
    if isinstance(found, IPv4Address):
        return []
    if any(found in network for network in _WITH_IPV4):
        return [IPv4Address(int(found) & 0xFFFFFFFF)]
    return [] if found.sixtofour is None else [found.sixtofour]
