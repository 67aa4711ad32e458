"""A provider of the demo's own: it checks what it gets as any receiver would, and says so."""

import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runtime.connections import Trusted
from runtime.serving import serving

PORT = 8085
# In the examples stands this secret.
SECRET = "whsec_cHJvZnVzZS1kZW1vLXByb2Z1c2UtZGVtby1wcm9mdXNl"  # noqa: S105  # of a demo
# The first messages by `sms` meet a provider that is not at its best.
_FAILURES = 2

Tell = Callable[[str], None]


class Receiver:
    """Takes signed messages; its first texts it refuses for now."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._failures = _FAILURES

    async def take(self, request: Request) -> Response:
        body = await request.body()
        channel = request.path_params["channel"]
        try:
            Webhook(SECRET).verify(body, dict(request.headers))
        except WebhookVerificationError as why:
            self._tell(f"{channel}: refused, {why}")
            return Response(status_code=401)
        if channel == "sms" and self._failures:
            self._failures -= 1
            self._tell(f"{channel}: 503, come again in a second ({_FAILURES - self._failures} of {_FAILURES})")
            return Response(status_code=503, headers={"Retry-After": "1"})
        self._tell(f"{channel}: verified {request.headers['webhook-id']}: {_shown(channel, body)}")
        return Response(status_code=204)


def _shown(channel: str, body: bytes) -> str:
    """A message whole; of a hook's events their types, because each stands there already."""
    return ", ".join(event["event_type"] for event in json.loads(body)) if channel == "hook" else body.decode()


@asynccontextmanager
async def receiving(tell: Tell) -> AsyncIterator[int]:
    """Serves while the block runs; yields its port, which is another one where PORT is taken."""
    with _listener() as listener:
        app = Starlette(routes=[Route("/{channel}", Receiver(tell).take, methods=["POST"])])
        async with serving(app, listener, Trusted):
            yield listener.getsockname()[1]


def _listener() -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", PORT))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))
