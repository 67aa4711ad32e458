"""Which addresses may be called: what an account names as its provider must not open the operator's own network."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Network = IPv4Network | IPv6Network


class Denied(PermissionError):
    """The address is one that must not be called; an `OSError`, as every address that cannot be."""


@dataclass(frozen=True)
class Reach:
    """What is denied is never called; where something is allowed, nothing else is."""

    allowed: Sequence[Network] = ()
    denied: Sequence[Network] = ()

    def permits(self, address: str) -> bool:
        found = _plain(address)
        if any(found in network for network in self.denied):
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
