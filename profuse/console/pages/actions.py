"""What was done by the console, and what is being done."""

from starlette.responses import Response

from profuse.console.acting import log
from profuse.console.desk import Desk, Visit, page
from profuse.console.pages import asked


async def show(desk: Desk, visit: Visit) -> Response:
    found = await log.listed(desk.reads, asked.number(visit.query, "before"))
    older = found[log.PAGE - 1].id if len(found) > log.PAGE else None
    return page(desk, visit, "actions.html", actions=found[: log.PAGE], older=older)


async def one(desk: Desk, visit: Visit) -> Response:
    found = await log.read(desk.reads, asked.number(visit.request.path_params, "id") or 0)
    if found is None:
        raise asked.Refused(404, "There is no such action.")
    return page(desk, visit, "action.html", action=found)
