"""How one gets in, and out."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from profuse.console.access import sessions
from profuse.console.access.rights import comes_from_us, cookie_name, onward
from profuse.console.desk import Desk, Visit
from profuse.console.pages import asked
from profuse.console.pages.asked import Refused


async def show(desk: Desk, request: Request) -> Response:
    return await _form(desk, onward(asked.query(request).get("next", "/")))


async def enter(desk: Desk, request: Request) -> Response:
    require_our_page(request)
    form = await asked.form(request)
    to = onward(form.get("next", "/"))
    secret = await sessions.open_session(desk.writes, form.get("token", "").strip())
    if secret is None:
        return await _form(desk, to, "This is no token, or not any more.", 401)
    answer = RedirectResponse(to, 303)
    answer.set_cookie(
        cookie_name(_host(request)),
        secret,
        max_age=int(sessions.LASTS.total_seconds()),
        httponly=True,
        samesite="strict",
        # As the browser sees it: a proxy with TLS may be another machine, whose headers are not believed.
        secure=request.headers.get("origin", str(request.url)).startswith("https://"),
    )
    return answer


async def leave(desk: Desk, visit: Visit) -> Response:
    name = cookie_name(_host(visit.request))
    await sessions.close(desk.writes, visit.request.cookies[name])
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(name, httponly=True, samesite="strict")
    return answer


def require_our_page(request: Request) -> None:
    """Raises `Refused` for what another site's page sends."""
    if not comes_from_us(_host(request), request.headers.get("origin"), request.headers.get("sec-fetch-site")):
        raise Refused(403, "This was sent by a page that is not ours.")


def _host(request: Request) -> str:
    return request.headers.get("host", "")


async def _form(desk: Desk, to: str, problem: str = "", status: int = 200) -> Response:
    known = await sessions.is_anybody_known(desk.reads)
    values = {"session": None, "path": "/login", "next": to, "problem": problem, "is_anybody_known": known}
    return HTMLResponse(desk.views.write("login.html", values), status)
