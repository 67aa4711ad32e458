"""Now: how fast things go, what waits, and what stands still; live."""

import itertools
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.responses import Response, StreamingResponse

from profuse.console.access import sessions
from profuse.console.access.rights import cookie_name
from profuse.console.desk import Desk, Visit, page
from profuse.console.reading import pending, standing
from profuse.console.watching import exposition, rates
from profuse.console.watching.lag import Lag
from profuse.console.watching.rates import Look
from runtime.postgres import POSTGRES_ERRORS
from schemas.topics import IMPORTS, MATCHES

# Looks that a number is taken from: ten seconds.
_RECENT = 6


async def show(desk: Desk, visit: Visit) -> Response:
    return page(desk, visit, "now.html", **await _values(desk, await desk.sampler.now()))


async def live(desk: Desk, visit: Visit) -> Response:
    """Server-sent events: the page's live part, whenever the processes were looked at."""
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(_events(desk, visit), media_type="text/event-stream", headers=headers)


async def _events(desk: Desk, visit: Visit) -> AsyncIterator[str]:
    secret = visit.request.cookies[cookie_name(visit.request.headers.get("host", ""))]
    async for looks in desk.sampler.watch():
        try:
            # Who is logged out sees no more from then on.
            if await sessions.find(desk.reads, secret) is None:
                yield _event("gone", "")
                return
            values = await _values(desk, looks)
        except POSTGRES_ERRORS as error:
            yield _event("trouble", f"Postgres does not answer ({type(error).__name__}).")
            continue
        yield _event("now", desk.views.block("now.html", "live", {"session": visit.session, "path": "/", **values}))


def _event(name: str, text: str) -> str:
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n"


async def _values(desk: Desk, looks: Sequence[Look]) -> dict[str, Any]:
    async with desk.reads.acquire() as connection:
        found = await standing.look(connection)
        waiting = await pending.total(connection)
    lag = await desk.lags.now()
    imports = desk.settings.topic(IMPORTS.name)
    return {
        "rooms": looks[-1].rooms,
        # None: nobody knows yet.
        "broker_answers": None if lag is None else lag.behind is not None,
        "flows": _flows(looks, imports),
        **_backlog(looks, lag, rates.rate(looks[-_RECENT:], exposition.MESSAGES, topic=imports)),
        "lateness": {share: rates.lateness(looks, share) for share in (0.5, 0.99)},
        "found": found,
        "waiting": waiting,
    }


def _backlog(looks: Sequence[Look], lag: Lag | None, drained: float | None) -> dict[str, Any]:
    """How many profiles wait for a matcher, and for about how many seconds; by the broker, or else by what a gateway says."""
    counted = lag.behind if lag is not None and lag.behind is not None else {}
    behind = counted.get(IMPORTS.name, rates.most(looks[-1], exposition.IN_FLIGHT))
    seconds = behind / drained if behind and drained else None
    return {
        "behind": behind,
        "behind_seconds": seconds,
        "matches_behind": counted.get(MATCHES.name),
        "standing_partitions": lag.standing if lag is not None else [],
    }


def _flows(looks: Sequence[Look], imports: str) -> list[dict[str, Any]]:
    """Profiles in a second, through each room."""
    return [
        _flow(looks, "accepted", exposition.ITEMS, fate="published"),
        _flow(looks, "matched", exposition.MESSAGES, topic=imports),
        _flow(looks, "launches ended", exposition.LAUNCHES),
    ]


def _flow(looks: Sequence[Look], label: str, name: str, **labels: str) -> dict[str, Any]:
    each = [rates.rate((before, after), name, **labels) for before, after in itertools.pairwise(looks)]
    return {
        "label": label,
        "rate": rates.rate(looks[-_RECENT:], name, **labels),
        "curve": each,
        "total": rates.total(looks[-1], name, **labels),
    }
