"""`/u/<signed>`: a mail's reader unsubscribes, by a page with a button, or at once by his mail program (RFC 8058)."""

import html
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ingest.http.server import Beside, Handle
from ingest.sql.pool import Pool
from schemas import links
from schemas.settings import Settings
from store.unsubscribing import unsubscribe

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


def pages(settings: Settings, pool: Pool) -> list[Beside]:
    """None where no mail has such a link."""
    if not settings.public_url:
        return []
    return [Beside(links.PATH, "{signed}", {"GET": _asking(settings), "POST": _doing(settings, pool)}, _not_now)]


def _asking(settings: Settings) -> Handle:
    async def ask(request: Request) -> Response:
        # Only a POST changes anything: programs that look for viruses follow every link.
        return _page("Unsubscribe?", _BUTTON) if _link(settings, request) else _unknown()

    return ask


def _doing(settings: Settings, pool: Pool) -> Handle:
    async def do(request: Request) -> Response:
        link = _link(settings, request)
        if link is None:
            return _unknown()
        async with pool.acquire() as connection:
            await unsubscribe(connection, settings.signing_keys(), link)
        return _page("Unsubscribed", "<p>You will get no more mails of this kind.</p>")

    return do


def _link(settings: Settings, request: Request) -> links.Unsubscribing | None:
    return links.read(settings.signing_keys(), request.path_params["signed"], datetime.now(UTC))


def _not_now() -> Response:
    return _page("Not now", "<p>Please try again in a moment.</p>", 503, {"Retry-After": str(_AGAIN_AFTER)})


def _unknown() -> Response:
    return _page("Unknown link", "<p>It is older than a year, or was not copied whole.</p>", 404)


def _page(title: str, body: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return HTMLResponse(_PAGE.format(title=html.escape(title), body=body), status, {**_HEADERS, **(headers or {})})
