"""Where the reader of a launch unsubscribes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas import links
from workers.launcher.model import Launch


@dataclass(frozen=True)
class Links:
    """Makes links to a public address; with none there are no links."""

    url: str = ""
    keys: Sequence[str] = ()

    def of(self, launch: Launch) -> str | None:
        """Only what goes to a subscription can be unsubscribed from."""
        resource = launch.campaign.resource
        if not self.url or resource is None or launch.recipient.subscription is None:
            return None
        address = links.digest(self.keys[0], launch.recipient.address)
        meant = links.Unsubscribing(launch.campaign.account, launch.profile.id, resource, address)
        return f"{self.url}{links.PATH}{links.signed(self.keys, meant, datetime.now(UTC))}"
