"""The e-mail channel: mails through persistent connections to the operator's SMTP server, or to an account's own."""

from collections.abc import Sequence
from datetime import UTC, datetime

from schemas import mailboxes, metrics
from schemas.settings import Settings
from schemas.tls import client_context
from workers.launcher.channels.channel import SERVER, Route, Unavailable, place_of
from workers.launcher.channels.email.connections import Calling, Connections
from workers.launcher.channels.email.dialogue import Broken, deliver
from workers.launcher.channels.email.mail import Mail, compose
from workers.launcher.channels.email.replies import place_of_recipient, place_of_sender
from workers.launcher.channels.links import Links
from workers.launcher.channels.slots import OfProviders, Slot, Slots
from workers.launcher.model import Campaign, Launch, Provider

# A connection may break before its server knew of a recipient; whoever is next gets another one.
_CONNECTIONS_FOR_ONE = 3


class Smtp:
    """Sends mails over connections that are kept: at most `connections` to the operator's server, to others as their rows say."""

    def __init__(self, settings: Settings, others: Calling, links: Links | None = None) -> None:
        """`others`: how the servers are called that accounts name."""
        self._slots = Slots(settings.smtp_connections)
        self._of_providers = OfProviders()
        self._domain = settings.mail_domain
        self._links = links or Links()
        self._own = Connections(settings.smtp, Calling(client_context(settings.smtp_ca)))
        self._others = others
        # By their addresses.
        self._connections: dict[str, Connections] = {}

    def ways(self, campaign: Campaign) -> Sequence[Provider | None]:
        # What leaves by a provider that its trigger names never leaves by the operator's server instead.
        return campaign.providers if campaign.providers or campaign.named_providers else (None,)

    def at_once(self, way: Provider | None) -> int:
        return self._slots.of_one if way is None else way.concurrency

    def slot(self, campaign: Campaign, way: Provider | None) -> Slot:
        return Slot(*self._slots.of(campaign.account)) if way is None else Slot(self._of_providers.of(way))

    def route(self, launch: Launch, way: Provider | None) -> Route:
        sender = place_of_sender(mailboxes.parted(launch.campaign.sender)[1])
        recipient = place_of_recipient(launch.recipient.address)
        if way is None:
            return Route((SERVER, sender, recipient))
        # What one server says of a sender or a domain says nothing of the others.
        at = place_of(way)
        return Route((at, f"{sender} by {at}", f"{recipient} by {at}"), way)

    async def send(self, launch: Launch, route: Route) -> None:
        mail = compose(launch, datetime.now(UTC), self._domain, self._links.of(launch))
        if mail.unknown:
            metrics.UNKNOWN_VARIABLES.inc(mail.unknown)
        try:
            await self._through(self._connections_to(route.provider), mail)
        except Unavailable as trouble:
            if route.provider is None:
                raise
            at = place_of(route.provider)
            raise Unavailable(str(trouble), at if trouble.place == SERVER else f"{trouble.place} by {at}") from trouble

    async def _through(self, connections: Connections, mail: Mail) -> None:
        for left in reversed(range(_CONNECTIONS_FOR_ONE)):
            connection = await connections.lend()
            try:
                await deliver(connection, mail)
            except Broken as error:
                connections.broken(crowded=error.crowded)
                if not left:
                    raise Unavailable(str(error)) from error
            else:
                return
            finally:
                connections.give_back(connection)

    def _connections_to(self, provider: Provider | None) -> Connections:
        if provider is None:
            return self._own
        if provider.url not in self._connections:
            self._connections[provider.url] = Connections(provider.url, self._others)
        return self._connections[provider.url]

    async def close(self) -> None:
        for connections in (self._own, *self._connections.values()):
            connections.close()
