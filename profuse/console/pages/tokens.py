"""Tokens: what each may, and what is known of its use."""

from starlette.responses import Response

from profuse.console.desk import Desk, Visit, page
from profuse.console.reading import tokens
from profuse.console.watching import exposition, rates


async def show(desk: Desk, visit: Visit) -> Response:
    async with desk.reads.acquire() as connection:
        found = await tokens.listed(connection, desk.settings.request_id_kept)
    looks = await desk.sampler.now()
    refused = rates.by_label(looks[-1], exposition.REFUSED, "reason")
    kept = desk.settings.request_id_kept
    return page(desk, visit, "tokens.html", tokens=found, refused=refused, kept=kept)
