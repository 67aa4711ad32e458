"""A channel with its destination, whichever it is."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from runtime.outbound.posting import Poster
from runtime.outbound.reach import Reach
from schemas.settings import Settings
from tests.calling import EVERYWHERE, dialer
from tests.launching import NOBODY, campaign
from tests.unit.launcher.channels.destinations import Destination, HttpProvider, MailServer
from workers.launcher.channels.channel import Channel
from workers.launcher.channels.email.connections import Calling
from workers.launcher.channels.email.smtp import Smtp
from workers.launcher.channels.http.posting import Posting
from workers.launcher.deliver.endings import Ended
from workers.launcher.deliver.gates import Gate
from workers.launcher.deliver.provider_states import ProviderStates
from workers.launcher.model import Launch, Profile, Provider, Recipient

SECRET = "whsec_" + b64encode(bytes(32)).decode()
NAMES = ("email", "email by a provider", "sms", "push", "webhook")
MESSAGES = {
    "email": {"subject": "Hi {lead.name}", "html": "<p>{lead.name}</p>"},
    "sms": {"text": "Hi {lead.name}"},
    "push": {"text": "Hi {lead.name}", "title": "T", "link": "https://shop.test/?n={lead.name}"},
    "webhook": {"body": '{"hi": "{lead.name}"}'},
}
ADDRESSES = {"email": "ann@shop.test", "sms": "+79000000001", "push": "device-1", "webhook": ""}


class Rowless(ProviderStates):
    """Without a database: what one launcher finds out nobody else is told."""

    def __init__(self) -> None:
        super().__init__(None)

    async def _write(self, statement: str, *values: object) -> None:
        return None


@dataclass
class Way:
    """One way out of the house."""

    name: str
    channel: Channel
    destination: Destination
    gate: Gate

    async def attempt(self, launch: Launch) -> Ended:
        """By its first way."""
        return await self.gate.attempt(launch, self.channel.ways(launch.campaign)[0])

    def slot(self, id_: str, account: int) -> AbstractAsyncContextManager[None]:
        campaign = self.launch(id_, account).campaign
        return self.channel.slot(campaign, self.channel.ways(campaign)[0])

    def launch(self, id_: str, account: int = 1, lead: dict[str, Any] | None = None, **changes: Any) -> Launch:
        channel = self.name.partition(" ")[0]
        providers = () if self.name == "email" else (provider(self.destination, channel, id=account),)
        values: dict[str, Any] = {"channel": channel, "account": account, "providers": providers, **MESSAGES[channel]}
        subscription = {"provider": "ios", "subscription_id": "device-1"} if channel == "push" else None
        who = Profile(NOBODY, lead if lead is not None else {"name": "Ann"})
        return Launch(id_, campaign(**values | changes), who, Recipient(ADDRESSES[channel], subscription), {"row": 1})


def provider(destination: Destination, channel: str, **changes: Any) -> Provider:
    url = f"{'smtp' if channel == 'email' else 'http'}://127.0.0.1:{destination.port}"
    values: dict[str, Any] = {"id": 1, "name": "main", "url": url, "secrets": (SECRET,), "rate": None, "concurrency": 4, "timeout": 5}
    return Provider(**values | changes)


def _mailing(port: int) -> Settings:
    return Settings(smtp=f"smtp://127.0.0.1:{port}", smtp_connections=4, mail_domain="mail.test")


@asynccontextmanager
async def way_of(name: str, reach: Reach = EVERYWHERE) -> AsyncIterator[Way]:
    """Its destination is not open yet."""
    async with dialer(reach) as dialing, Poster(dialing) as calling:
        destination = MailServer() if name.startswith("email") else HttpProvider()
        async with destination.open():
            channel: Channel = (
                Smtp(_mailing(destination.port), Calling(None, dialing.dial)) if name.startswith("email") else Posting(calling, 4)
            )
        yield Way(name, channel, destination, Gate(channel, Rowless()))
        await channel.close()


@pytest.fixture(params=NAMES)
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Way]:
    async with way_of(request.param) as found:
        yield found
