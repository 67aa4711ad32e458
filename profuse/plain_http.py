"""A client for what speaks plain HTTP: processes of our own, and their API."""

import ssl
from typing import Any

import httpx2

# A client of its own making reads every certificate of the machine, 0.1 s of a core; no connection of this one needs any.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def plain_client(**options: Any) -> httpx2.AsyncClient:
    """Takes what an `AsyncClient` does, and no heed of a proxy; whatever asks for https is refused."""
    return httpx2.AsyncClient(verify=NO_CERTIFICATES, trust_env=False, **options)
