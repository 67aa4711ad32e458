"""`/u/<signed>`: a mail's reader unsubscribes, by a page with a button, or at once by his mail program (RFC 8058)."""

import html
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from ingest.sql.pool import Pool
from runtime.advice import todo
from runtime.postgres import AWAY
from runtime.trouble import Trouble, trouble_of
from schemas import links
from schemas.settings import Settings
from store.unsubscribing import unsubscribe

log = structlog.get_logger()

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta name="robots" content="noindex"><title>{title}</title>'
    '<body style="font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto"><h1>{title}</h1>{body}</body></html>'
)
_BUTTON = '<p>You will get no more mails of this kind.</p><form method="post"><button>Unsubscribe</button></form>'
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}
_AGAIN_AFTER = 5


def routes(settings: Settings, pool: Pool) -> list[Route]:
    """None where no mail has such a link."""
    if not settings.public_url:
        return []
    path = f"{links.PATH}{{signed}}"
    return [Route(path, _asking(settings), methods=["GET"]), Route(path, _doing(settings, pool), methods=["POST"])]


def _asking(settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    async def ask(request: Request) -> Response:
        # Only a POST changes anything: programs that look for viruses follow every link.
        return _page("Unsubscribe?", _BUTTON) if _link(settings, request) else _unknown()

    return ask


def _doing(settings: Settings, pool: Pool) -> Callable[[Request], Awaitable[Response]]:
    async def do(request: Request) -> Response:
        link = _link(settings, request)
        if link is None:
            return _unknown()
        try:
            async with pool.acquire() as connection:
                await unsubscribe(connection, link)
        except AWAY as error:
            if trouble_of(error) is not Trouble.WORLD:
                raise
            log.warning("database_away", path=links.PATH, error=type(error).__name__, **todo(error))
            return _page("Not now", "<p>Please try again in a moment.</p>", 503, {"Retry-After": str(_AGAIN_AFTER)})
        return _page("Unsubscribed", "<p>You will get no more mails of this kind.</p>")

    return do


def _link(settings: Settings, request: Request) -> links.Unsubscribing | None:
    return links.read(settings.signing_keys(), request.path_params["signed"], datetime.now(UTC))


def _unknown() -> Response:
    return _page("Unknown link", "<p>It is older than a year, or was not copied whole.</p>", 404)


def _page(title: str, body: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return HTMLResponse(_PAGE.format(title=html.escape(title), body=body), status, {**_HEADERS, **(headers or {})})
