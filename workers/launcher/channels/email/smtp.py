"""The e-mail channel: mails through persistent connections to one SMTP server."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime

from schemas import metrics
from workers.launcher.channels.channel import SERVER, Unavailable
from workers.launcher.channels.email import addresses
from workers.launcher.channels.email.connections import Connections
from workers.launcher.channels.email.dialogue import Broken, deliver
from workers.launcher.channels.email.mail import compose
from workers.launcher.channels.email.replies import place_of_recipient, place_of_sender
from workers.launcher.channels.slots import Slots
from workers.launcher.model import Launch

# A connection may break before its server knew of a recipient; whoever is next gets another one.
_CONNECTIONS_FOR_ONE = 3


class Smtp:
    """Sends mails over at most `connections` connections, which are kept."""

    def __init__(self, url: str, connections: int, domain: str, trust: ssl.SSLContext | None = None) -> None:
        self.slots = Slots(connections)
        self._domain = domain
        self._connections = Connections(url, trust)

    def places(self, launch: Launch) -> Sequence[str]:
        return (SERVER, place_of_sender(addresses.parted(launch.campaign.sender)[1]), place_of_recipient(launch.recipient.address))

    async def send(self, launch: Launch) -> None:
        mail = compose(launch, datetime.now(UTC), self._domain)
        metrics.UNKNOWN_VARIABLES.inc(mail.unknown)
        for left in reversed(range(_CONNECTIONS_FOR_ONE)):
            connection = await self._connections.lend()
            try:
                await deliver(connection, mail)
            except Broken as error:
                self._connections.broken(crowded=error.crowded)
                if not left:
                    raise Unavailable(str(error)) from error
            else:
                return
            finally:
                self._connections.give_back(connection)

    async def close(self) -> None:
        self._connections.close()
