"""Triggers: how much they launch and how well, and what one would send."""

import json
from html import escape
from typing import Any

from starlette.responses import HTMLResponse, Response

from profuse import rendering
from profuse.console.access.headers import PREVIEW_POLICY
from profuse.console.desk import Desk, Visit, page
from profuse.console.pages import asked
from profuse.console.reading import triggers
from profuse.console.showing.previews import unconnected
from profuse.rendering import Rendered
from runtime.errors import CannotRun


async def show(desk: Desk, visit: Visit) -> Response:
    async with desk.reads.acquire() as connection:
        found = await triggers.listed(connection, asked.number(visit.query, "account"))
        volume = await triggers.volume(connection)
    return page(desk, visit, "triggers.html", triggers=found, volume=volume)


async def one(desk: Desk, visit: Visit) -> Response:
    """With a preview, if a profile is named."""
    trigger = await _read(desk, visit)
    async with desk.reads.acquire() as connection:
        reasons = await triggers.reasons(connection, trigger["id"])
        anybody = await triggers.anybody(connection, trigger["id"])
        volume = await triggers.volume(connection)
    preview, problem = await _preview(desk, visit, trigger)
    values = {"trigger": trigger, "reasons": reasons, "anybody": anybody, "volume": volume, "preview": preview, "problem": problem}
    return page(desk, visit, "trigger.html", **values)


async def frame(desk: Desk, visit: Visit) -> Response:
    """A mail's HTML as its reader sees it, but for what it would fetch: a page of its own, in which nothing runs."""
    preview, problem = await _preview(desk, visit, await _read(desk, visit))
    html = preview.html if preview and preview.html is not None else escape(problem or "This message has no HTML.")
    return HTMLResponse(unconnected(html), headers={"Content-Security-Policy": PREVIEW_POLICY})


async def _read(desk: Desk, visit: Visit) -> dict[str, Any]:
    account, number = (asked.number(visit.request.path_params, name) or 0 for name in ("account", "number"))
    async with desk.reads.acquire() as connection:
        found = await triggers.read(connection, account, number)
    if found is None:
        raise asked.Refused(404, f"Account {account} has no trigger {number}.")
    return found


async def _preview(desk: Desk, visit: Visit, trigger: dict[str, Any]) -> tuple[Rendered | None, str]:
    """What would be sent, or why nothing would."""
    profile = visit.query.get("profile", "").strip()
    if not profile:
        return None, ""
    try:
        content = json.loads(visit.query.get("content") or "{}")
    except (ValueError, RecursionError) as error:
        return None, f"The content is no JSON: {error}."
    if not isinstance(content, dict):
        return None, "The content must be a JSON object."
    try:
        return await rendering.rendered(desk.settings, trigger["account"], trigger["number"], profile, content, desk.reads), ""
    except CannotRun as why:
        return None, str(why)
