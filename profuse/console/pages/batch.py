"""One batch: its stages, what failed in it, and one of its items on its way."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ingest.sql import results
from profuse import mails
from profuse.console.desk import Desk, Visit, page
from profuse.console.pages import asked
from profuse.console.reading import batch, items
from profuse.console.showing import spreadsheets
from profuse.console.showing.curl import curl
from profuse.console.watching.asking import running

_COLUMNS = ("stage", "item", "error", "error_text", "field", "trigger", "profile_id")
_PAGE = 100
# Mails of the sink that are looked through for one.
_MAILS = 2_000


async def show(desk: Desk, visit: Visit) -> Response:
    id_ = _id(visit)
    async with desk.reads.acquire() as connection:
        stages = await _stages(desk, connection, id_)
        failed_items = await batch.failed_items(connection, id_)
        failed_launches = await batch.failed_launches(connection, id_)
    api, task = await _api(desk), {"task_id": id_.hex()}
    calls = {"curl": curl(api, "tasks/status", task), "curl_cancel": curl(api, "campaigns/triggers/cancel", task)}
    return page(desk, visit, "batch.html", **stages, **calls, failed_items=failed_items, failed_launches=failed_launches)


async def live(desk: Desk, visit: Visit) -> Response:
    """What of it changes, without what costs more."""
    async with desk.reads.acquire() as connection:
        stages = await _stages(desk, connection, _id(visit))
    return HTMLResponse(desk.views.block("batch.html", "live", {"session": visit.session, **stages}))


async def failures(desk: Desk, visit: Visit) -> Response:
    """CSV. Made whole: no connection is held for as long as somebody's download may take."""
    id_ = _id(visit)
    async with desk.reads.acquire() as connection:
        lines = [spreadsheets.line(row) async for row in batch.failures(connection, id_)]
    named = {"Content-Disposition": f'attachment; filename="failures-{id_.hex()}.csv"'}
    return Response("".join([spreadsheets.line(_COLUMNS), *lines]), media_type="text/csv; charset=utf-8", headers=named)


async def some(desk: Desk, visit: Visit) -> Response:
    """Its items in pages, or the one that somebody named."""
    id_, start = _id(visit), asked.number(visit.query, "from") or 0
    if (named := asked.number(visit.query, "item")) is not None:
        return RedirectResponse(f"/batches/{id_.hex()}/items/{named}", 303)
    async with desk.reads.acquire() as connection:
        found = await batch.read(connection, id_)
        if found is None:
            raise asked.not_found("batch of this id")
        entries = await results.entries(connection, id_, start, min(start + _PAGE, found["total"]))
    return page(desk, visit, "items.html", batch=found, entries=entries, start=start, page_size=_PAGE)


async def item(desk: Desk, visit: Visit) -> Response:
    """From its request to its mail."""
    id_, number = _id(visit), asked.number(visit.request.path_params, "item") or 0
    async with desk.reads.acquire() as connection:
        found = await batch.read(connection, id_)
        if found is None or number >= found["total"]:
            raise asked.not_found("such item")
        one = await items.read(connection, id_, number)
    sink = await _sink(desk)
    sent = {step.launch: await asyncio.to_thread(_mail, sink, step.launch) for step in one.steps} if sink else {}
    answer = curl(await _api(desk), "tasks/status", {"task_id": found["shown"], "from": number, "limit": 1})
    return page(desk, visit, "item.html", batch=found, item=one, number=number, mails=sent, curl=answer, topics=desk.settings.topic(""))


async def _stages(desk: Desk, connection: asyncpg.Connection, id_: bytes) -> dict[str, Any]:
    found = await batch.read(connection, id_)
    status = None if found is None else await batch.status(connection, found["account"], id_, desk.settings.incomplete_after)
    if found is None or status is None:
        raise asked.not_found("batch of this id")
    # As long as something goes on.
    is_moving = status.word in ("accepting", "running") or status.launches["scheduled"] > 0
    return {"batch": found, "status": status, "is_moving": is_moving}


def _id(visit: Visit) -> bytes:
    return asked.id_of(visit.request.path_params, "batch", "batch")


async def _api(desk: Desk) -> str:
    found = await running(desk.directory)
    return (found and found.api) or f"http://127.0.0.1:{desk.settings.port}"


async def _sink(desk: Desk) -> Path | None:
    found = await running(desk.directory)
    return found.mail if found else None


def _mail(sink: Path, launch: str) -> str | None:
    try:
        found = mails.find(sink, launch, _MAILS)
    except OSError:
        # It is the sink's, and may be deleted while it is read.
        return None
    return None if found is None else mails.shown(found)
