"""A deed: first its count, then the doing."""

import msgspec
from starlette.responses import RedirectResponse, Response

from profuse.console.access.rights import new_secret
from profuse.console.acting.deed import Deed
from profuse.console.acting.deeds import DEEDS
from profuse.console.acting.log import Asked
from profuse.console.desk import Desk, Visit, page
from profuse.console.pages.asked import Refused


async def ask(desk: Desk, visit: Visit) -> Response:
    """What it would do, and the button for it; who may not act is shown the count all the same."""
    name, deed = _deed(visit)
    plan = await deed.plan(desk.means, {key: value for key, value in visit.query.items() if key in deed.names and value})
    # Not as it is: forms spell the ends of lines anew.
    scope = msgspec.json.encode(dict(plan.scope)).decode()
    return page(desk, visit, "plan.html", name=name, plan=plan, scope=scope, form=new_secret())


async def do(desk: Desk, visit: Visit) -> Response:
    name, deed = _deed(visit)
    counted = visit.form.get("counted", "")
    asked = Asked(
        who=visit.session.name,
        what=name,
        form=_form(visit),
        scope=_scope(deed, visit.form.get("scope", "")),
        counted=int(counted) if counted.isascii() and counted.isdigit() and len(counted) < 16 else None,
    )
    return RedirectResponse(f"/actions/{await desk.jobs.begin(deed, asked)}", 303)


def _deed(visit: Visit) -> tuple[str, Deed]:
    name = visit.request.path_params["deed"]
    if name not in DEEDS:
        raise Refused(404, "There is no such action.")
    return name, DEEDS[name]


def _form(visit: Visit) -> str:
    form = visit.form.get("form", "")
    if not 20 <= len(form) <= 100:
        raise Refused(400, "This form is not whole: count again.")
    return form


def _scope(deed: Deed, written: str) -> dict[str, str]:
    try:
        scope = msgspec.json.decode(written, type=dict[str, str])
    except msgspec.DecodeError:
        raise Refused(400, "This form is not whole: count again.") from None
    if set(scope) - deed.names or any("\0" in value for value in scope.values()):
        raise Refused(400, "This form says what no page of ours asks: count again.")
    return scope
