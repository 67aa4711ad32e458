"""The channels that leave by HTTP: signed POSTs to whichever provider the account has."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from runtime.outbound.posting import Answer, InDoubt, NotSent, Poster
from runtime.outbound.signing import signed
from schemas import metrics
from workers.launcher.channels.channel import Deferred, Gone, Rejected, Route, Unavailable, place_of
from workers.launcher.channels.http.messages import compose
from workers.launcher.channels.links import Links
from workers.launcher.channels.slots import OfProviders, Slots
from workers.launcher.model import Campaign, Launch

_GONE = 410
_TOO_MANY = 429
_AWAY = 503
# The same request may do later: the server was slow, or it is too early.
_LATER = frozenset({408, 425})


class Posting:
    """Sends through a `Poster`, which all these channels share."""

    def __init__(self, poster: Poster, connections: int, links: Links | None = None) -> None:
        self._poster = poster
        self._links = links or Links()
        self._slots = Slots(connections)
        self._of_providers = OfProviders()

    @asynccontextmanager
    async def slot(self, campaign: Campaign) -> AsyncIterator[None]:
        if not campaign.providers:
            yield
            return
        # Its own first: whoever waits for a slow provider stands in nobody's way.
        async with self._of_providers.of(campaign.providers[0]), self._slots.of(campaign.account):
            yield

    def routes(self, launch: Launch) -> Sequence[Route]:
        return tuple(Route((place_of(provider),), provider) for provider in launch.campaign.providers)

    async def send(self, launch: Launch, route: Route) -> None:
        provider = route.provider
        if provider is None:
            raise Unavailable("the account has no provider")
        now = datetime.now(UTC)
        message = compose(launch, now, self._links.of(launch))
        metrics.UNKNOWN_VARIABLES.inc(message.unknown)
        headers = {**signed(provider.secrets, launch.id, int(now.timestamp()), message.body), "Idempotency-Key": launch.id}
        try:
            answer = await self._poster.post(provider.url, message.body, headers, provider.timeout)
        except NotSent as error:
            raise Unavailable(str(error), place_of(provider)) from error
        except InDoubt as error:
            # Sent again under its id, which tells a repeat from a second one.
            raise Deferred(str(error), 0) from error
        if not answer.is_good:
            raise _refusal(answer, place_of(provider))

    async def close(self) -> None:
        """The poster is closed by whoever opened it."""


def _refusal(answer: Answer, place: str) -> Rejected | Deferred | Unavailable:
    """What an answer other than 2xx means. No word of it is kept: it may quote whom the message is for."""
    status, rest = answer.status, answer.retry_after
    why = f"HTTP {status}"
    if status == _GONE:
        return Gone(why)
    if status == _TOO_MANY or (status == _AWAY and rest is not None):
        # It asks everybody to wait, and has taken nothing.
        return Unavailable(why, place, rest)
    if status in _LATER or status >= 500:
        return Deferred(why, status, rest=rest or 0.0)
    return Rejected(why)
