"""The console as an application: which path is which page, who gets in, and what is answered where something is wrong."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from profuse.console.access import sessions
from profuse.console.access.headers import WithHeaders
from profuse.console.access.rights import Session, cookie_name, is_same
from profuse.console.desk import Desk, Visit
from profuse.console.pages import actions, asked, batch, batches, dead_letters, doing, login, now, problems, tokens, triggers, waiting, ways
from profuse.console.pages.asked import Refused

Page = Callable[[Desk, Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]

_STATIC = Path(__file__).with_name("static")

# For whoever has logged in.
PAGES: dict[str, Page] = {
    "/": now.show,
    "/now": now.live,
    "/batches": batches.show,
    "/batches/{batch}": batch.show,
    "/batches/{batch}/live": batch.live,
    "/batches/{batch}/failures.csv": batch.failures,
    "/batches/{batch}/items": batch.some,
    "/batches/{batch}/items/{item}": batch.item,
    "/pending": waiting.show,
    "/dead-letters": dead_letters.show,
    "/dead-letters/one": dead_letters.one,
    "/dead-letters/value": dead_letters.value,
    "/triggers": triggers.show,
    "/triggers/{account}/{number}": triggers.one,
    "/triggers/{account}/{number}/mail": triggers.frame,
    "/ways": ways.show,
    "/tokens": tokens.show,
    "/actions": actions.show,
    "/actions/{id}": actions.one,
    "/do/{deed}": doing.ask,
}
# For whoever may act; each is a form of ours.
ACTS: dict[str, Page] = {"/do/{deed}": doing.do}


def application(desk: Desk) -> ASGIApp:
    routes: list[BaseRoute] = [
        Mount("/static", StaticFiles(directory=_STATIC)),
        Route("/login", _open(desk, login.show), methods=["GET"]),
        Route("/login", _open(desk, login.enter), methods=["POST"]),
        Route("/logout", _acting(desk, login.leave, to_act=False), methods=["POST"]),
        *(Route(path, _acting(desk, act, to_act=True), methods=["POST"]) for path, act in ACTS.items()),
        *(Route(path, _looking(desk, page), methods=["GET"]) for path, page in PAGES.items()),
    ]

    async def problem(request: Request, error: Exception) -> Response:
        return _problem(desk, request, error)

    # Each of them by its name: only what nobody foresaw is logged as such, and shown without a word of it.
    return WithHeaders(Starlette(routes=routes, exception_handlers={**dict.fromkeys(problems.FORESEEN, problem), Exception: problem}))


def _open(desk: Desk, page: Callable[[Desk, Request], Awaitable[Response]]) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await page(desk, request)

    return endpoint


def _looking(desk: Desk, page: Page) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        session = await _session(desk, request)
        if session is None:
            return _to_login(request)
        return await page(desk, Visit(request, session, asked.query(request), {}))

    return endpoint


def _acting(desk: Desk, act: Page, *, to_act: bool) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        login.require_our_page(request)
        session = await _session(desk, request)
        if session is None:
            return RedirectResponse("/login", 303)
        form = await asked.form(request)
        # What a page of another site cannot know, though its browser sends our cookie.
        if not is_same(form.get("csrf", ""), session.csrf):
            raise Refused(403, "This form is from another log-in: go back, load its page again, and repeat it.")
        if to_act and not session.may_act:
            raise Refused(403, "Your token may look, and not act: an operator's may.")
        return await act(desk, Visit(request, session, asked.query(request), form))

    return endpoint


async def _session(desk: Desk, request: Request) -> Session | None:
    secret = request.cookies.get(cookie_name(request.headers.get("host", "")))
    session = await sessions.find(desk.reads, secret) if secret else None
    request.state.session = session
    return session


def _to_login(request: Request) -> Response:
    if request.headers.get("accept") == "text/event-stream":
        return Response(status_code=401)
    if request.headers.get("hx-request"):
        # A part of a page must not become the page to log in.
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return RedirectResponse(f"/login?{_next(request)}", 303)


def _next(request: Request) -> str:
    return urlencode({"next": request.url.path + (f"?{request.url.query}" if request.url.query else "")})


def _problem(desk: Desk, request: Request, error: Exception) -> Response:
    status, title, why = problems.told(error)
    values = {"session": getattr(request.state, "session", None), "path": request.url.path, "title": title, "why": why, "status": status}
    return HTMLResponse(desk.views.write("error.html", values), status, headers=getattr(error, "headers", None))
