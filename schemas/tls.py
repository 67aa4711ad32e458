"""Certificates as settings name them; their files are read when a client is made."""

import ssl
from pathlib import Path


def client_context(authorities: Path | None, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Trusts the given authorities, else the system's; shows the certificate to a server that asks for one."""
    context = ssl.create_default_context(cafile=authorities)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context
