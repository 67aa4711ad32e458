"""Providers and hooks: whether they take what they get, and what they said last."""

from starlette.responses import Response

from profuse import hooks, providers
from profuse.console.desk import Desk, Visit, page
from profuse.postgres import transaction


async def show(desk: Desk, visit: Visit) -> Response:
    async with transaction(desk.settings, desk.reads) as connection:
        found = await providers.listed(connection)
    return page(desk, visit, "ways.html", providers=found, hooks=await hooks.listed(desk.settings, desk.reads))
