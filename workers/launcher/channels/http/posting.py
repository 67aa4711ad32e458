"""The channels that leave by HTTP: signed POSTs to whichever provider the account has."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from runtime.outbound.posting import Answer, InDoubt, NotSent, Poster
from runtime.outbound.signing import signed
from runtime.tracing import traces
from schemas import metrics
from workers.launcher.channels.channel import Deferred, Gone, Rejected, Route, Unavailable, place_of
from workers.launcher.channels.http.messages import compose
from workers.launcher.channels.links import Links
from workers.launcher.channels.provider_shares import Share, Shares
from workers.launcher.channels.slots import OfProviders, Slot, Slots
from workers.launcher.model import Campaign, Launch, Provider

_GONE = 410
_TOO_MANY = 429
_AWAY = 503
# The same request may do later, and was not looked at: it came too slowly, or too early.
_LATER = frozenset({408, 425})


class Posting:
    """Sends through a `Poster`, which all these channels share."""

    def __init__(self, poster: Poster, connections: int, links: Links | None = None) -> None:
        self._poster = poster
        self._links = links or Links()
        self._slots = Slots(connections)
        self._of_providers = OfProviders()
        # By account.
        self._shares: defaultdict[int, Shares] = defaultdict(lambda: Shares(self._slots.of_one))

    def ways(self, campaign: Campaign) -> Sequence[Provider]:
        return campaign.providers

    def at_once(self, way: Provider | None) -> int:
        return min(_known(way).concurrency, self._slots.of_one)

    def slot(self, campaign: Campaign, way: Provider | None) -> Slot:
        provider, account = _known(way), campaign.account
        # Of others nobody knows when they come.
        shares = () if provider.is_alone else (Share(self._shares[account], provider.id),)
        # Its own first: whoever waits for a slow provider stands in nobody's way.
        return Slot(self._of_providers.of(provider), *shares, *self._slots.of(account))

    def route(self, launch: Launch, way: Provider | None) -> Route:
        return Route((place_of(_known(way)),), way)

    async def send(self, launch: Launch, route: Route) -> None:
        provider = _known(route.provider)
        now = datetime.now(UTC)
        message = compose(launch, now, self._links.of(launch))
        if message.unknown:
            metrics.UNKNOWN_VARIABLES.inc(message.unknown)
        signature = signed(provider.secrets, launch.id, int(now.timestamp()), message.body)
        headers = {**signature, "Idempotency-Key": launch.id, **traces().outbound()}
        try:
            answer = await self._poster.post(provider.url, message.body, headers, provider.timeout)
        except NotSent as error:
            raise Unavailable(str(error), place_of(provider)) from error
        except InDoubt as error:
            # Sent again under its id, which tells a repeat from a second one.
            raise Deferred(str(error), 0, in_doubt=True, told_apart=True) from error
        if not answer.is_good:
            raise _refusal(answer, place_of(provider))

    async def close(self) -> None:
        """The poster is closed by whoever opened it."""


def _known(way: Provider | None) -> Provider:
    if way is None:
        raise ValueError("only a provider takes what leaves by HTTP")
    return way


def _refusal(answer: Answer, place: str) -> Rejected | Deferred | Unavailable:
    """What an answer other than 2xx means. No word of it is kept: it may quote whom the message is for."""
    status, rest = answer.status, answer.retry_after
    why = f"HTTP {status}"
    if status == _GONE:
        return Gone(why)
    if status == _TOO_MANY or (status == _AWAY and rest is not None):
        # It asks everybody to wait, and has taken nothing.
        return Unavailable(why, place, rest)
    if status in _LATER:
        return Deferred(why, status, rest=rest or 0.0)
    if status >= 500:
        # Perhaps a proxy's, or said after it was taken: its id tells a repeat there, and nowhere else.
        return Deferred(why, status, in_doubt=True, told_apart=True, rest=rest or 0.0)
    return Rejected(why, answered=True)
