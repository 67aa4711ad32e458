"""Dead letters: by reason, one by one, and one whole."""

from collections.abc import Mapping

from starlette.responses import Response

from profuse import dead_letters
from profuse.console.desk import Desk, Visit, page
from profuse.console.reading import letters
from profuse.console.showing.filters import decoded
from profuse.dead_letters import Wanted
from schemas.settings import Settings

_PAGE = 100


async def show(desk: Desk, visit: Visit) -> Response:
    wanted = _wanted(desk.settings, visit.query)
    async with desk.reads.acquire() as connection:
        groups = await letters.groups(connection)
    found = await dead_letters.find(desk.settings, wanted, _PAGE + 1, desk.reads)
    shown = [dead_letters.shown(desk.settings, letter) for letter in found[:_PAGE]]
    scope = {name: visit.query[name] for name in ("topic", "batch", "reason", "contains") if visit.query.get(name)} or {"all": "yes"}
    values = {"groups": groups, "letters": shown, "is_more": len(found) > _PAGE, "scope": scope, "prefix": desk.settings.topic("")}
    return page(desk, visit, "dead_letters.html", **values)


async def one(desk: Desk, visit: Visit) -> Response:
    told = await dead_letters.whole(desk.settings, visit.query.get("id", ""), desk.reads)
    value = decoded(await dead_letters.value(desk.settings, visit.query.get("id", ""), desk.reads))
    return page(desk, visit, "dead_letter.html", letter=told, value=value)


async def value(desk: Desk, visit: Visit) -> Response:
    """As it was published, to keep and not to look at."""
    found = await dead_letters.value(desk.settings, visit.query.get("id", ""), desk.reads)
    named = {"Content-Disposition": 'attachment; filename="dead-letter.bin"'}
    return Response(found or b"", media_type="application/octet-stream", headers=named)


def _wanted(settings: Settings, query: Mapping[str, str]) -> Wanted:
    names = {name: query.get(name) or None for name in ("batch", "contains", "topic")}
    exact = query.get("reason") or None
    return dead_letters.wanted(settings, (), names["batch"], names["contains"], names["topic"], None, None, exact_reason=exact)
