"""Pending: when launches run, and whose they are."""

from starlette.responses import Response

from profuse.console.desk import Desk, Visit, page
from profuse.console.pages import asked
from profuse.console.reading import pending


async def show(desk: Desk, visit: Visit) -> Response:
    account, trigger = asked.number(visit.query, "account"), asked.number(visit.query, "trigger")
    async with desk.reads.acquire() as connection:
        buckets = await pending.histogram(connection, account, trigger)
        waiting = await pending.next_of(connection, account, trigger)
    top = max(bucket.weight for bucket in buckets)
    return page(desk, visit, "pending.html", buckets=buckets, waiting=waiting, top=top, account=account, trigger=trigger)
