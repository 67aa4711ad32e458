"""The world outside of webhooks: a provider that checks each signature, and remembers what it was given."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from standardwebhooks import Webhook, WebhookVerificationError

from profuse.torture import blocks
from tests.posts import taking

SECRET = "whsec_" + "c2VjcmV0" * 4
TRIGGER = 10
_ACCOUNT = '[[accounts]]\nid = 1\nname = "demo"\n'


class Provider:
    """What arrived, oldest first."""

    def __init__(self) -> None:
        # Of each address: under which ids, and what else there was but the moment.
        self._arrived: defaultdict[str, list[str]] = defaultdict(list)
        # POSTs that no receiver would take.
        self.refused: list[str] = []
        self.port = 0

    @property
    def file(self) -> str:
        """What `apply` has to know of it."""
        url = f"http://127.0.0.1:{self.port}/"
        return _ACCOUNT + blocks.webhooks("shop", url, SECRET, "", TRIGGER, "By webhook", '{"to": "{lead.email}"}')

    def arrivals(self, recipients: str) -> dict[str, list[str]]:
        """For each address that begins so, how each of its messages is told from another one."""
        return {address: list(found) for address, found in list(self._arrived.items()) if address.startswith(recipients)}

    def take(self, _path: str, headers: Mapping[str, str], body: bytes) -> int:
        try:
            Webhook(SECRET).verify(body, dict(headers))
        except WebhookVerificationError as why:
            self.refused.append(str(why))
            return 401
        told = json.loads(body)
        del told["timestamp"]
        content = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        self._arrived[told["data"]["body"]["to"]].append(f"{headers['webhook-id']} {headers['idempotency-key']} {content}")
        return 204


@contextmanager
def providing() -> Iterator[Provider]:
    """Serves while the block runs."""
    provider = Provider()
    with taking(provider.take) as provider.port:
        yield provider
