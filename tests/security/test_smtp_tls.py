"""TLS towards the mail server: at once, by STARTTLS, or not at all, as the address says."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from schemas.settings import Settings
from tests.launching import handed, launch
from tests.security.strict import Certificates, make_certificates
from workers.launcher.channels.channel import Unavailable
from workers.launcher.channels.email.connections import Calling
from workers.launcher.channels.email.smtp import Smtp

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:aiosmtpd")


class Kept:
    """What a server was given, and whether it came by TLS."""

    def __init__(self) -> None:
        self.by_tls: list[bool] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert server.transport is not None
        self.by_tls.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 OK"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@asynccontextmanager
async def serving(kept: Kept, starttls: ssl.SSLContext | None, at_once: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(kept, tls_context=starttls, require_starttls=starttls is not None, loop=loop), "127.0.0.1", 0, ssl=at_once
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


async def send(url: str, trusted: Path) -> None:
    channel = Smtp(Settings(smtp=url, smtp_connections=1, mail_domain="mail.example", smtp_ca=trusted), Calling())
    try:
        await handed(channel, launch())
    finally:
        await channel.close()
        # The other side is told in the next turns of the loop.
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.mark.promise("P-OPS-22")
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls", "smtp"])
async def test_a_mail_goes_by_tls(certificates: Certificates, scheme: str) -> None:
    kept, context = Kept(), certificates.server_context()
    async with serving(kept, *((None, context) if scheme == "smtps" else (context,))) as port:
        await send(f"{scheme}://localhost:{port}", certificates.authority)

    assert kept.by_tls == [True]


async def test_without_starttls_only_the_scheme_that_does_not_insist_sends(certificates: Certificates) -> None:
    kept = Kept()
    async with serving(kept, None) as port:
        await send(f"smtp://localhost:{port}", certificates.authority)
        with pytest.raises(Unavailable):
            await send(f"smtp+starttls://localhost:{port}", certificates.authority)

    assert kept.by_tls == [False]


@pytest.mark.promise("P-OPS-22")
@pytest.mark.parametrize(("scheme", "host", "trusted"), [("smtps", "127.0.0.1", "authority"), ("smtp+starttls", "localhost", "stranger")])
async def test_a_server_that_is_not_who_we_meant_gets_no_mail(certificates: Certificates, scheme: str, host: str, trusted: str) -> None:
    kept, context = Kept(), certificates.server_context()
    async with serving(kept, *((None, context) if scheme == "smtps" else (context,))) as port:
        with pytest.raises(Unavailable):
            await send(f"{scheme}://{host}:{port}", getattr(certificates, trusted))

    assert kept.by_tls == []
