"""Batches, the newest first."""

from starlette.responses import RedirectResponse, Response

from profuse.console.desk import Desk, Visit, page
from profuse.console.pages import asked
from profuse.console.reading import batches
from schemas.ids import parse_id


async def show(desk: Desk, visit: Visit) -> Response:
    if "id" in visit.query:
        return RedirectResponse(f"/batches/{asked.id_of(visit.query, 'id', 'batch').hex()}", 303)
    wanted = batches.Wanted(
        asked.number(visit.query, "account"),
        asked.number(visit.query, "trigger"),
        only_failed=visit.query.get("failed") == "yes",
        before=parse_id(visit.query.get("before")),
    )
    async with desk.reads.acquire() as connection:
        found = await batches.listed(connection, wanted, desk.settings.incomplete_after)
    return page(desk, visit, "batches.html", found=found, wanted=wanted)
