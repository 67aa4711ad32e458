"""What every page is made from, and who asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from starlette.requests import Request
from starlette.responses import HTMLResponse

from profuse.console.access.rights import Session
from profuse.console.acting.deed import Means
from profuse.console.acting.jobs import Jobs
from profuse.console.showing.views import Views
from profuse.console.watching.lag import Lags
from profuse.console.watching.sampler import Sampler
from schemas.settings import Settings


@dataclass(frozen=True)
class Desk:
    """One for the process."""

    settings: Settings
    # Of the stack that is shown, where there is one.
    directory: Path
    # Connections that cannot write; and those of log-ins and of the log of actions.
    reads: asyncpg.Pool
    writes: asyncpg.Pool
    views: Views
    sampler: Sampler
    lags: Lags
    jobs: Jobs
    means: Means


@dataclass(frozen=True)
class Visit:
    """A request of somebody who has logged in."""

    request: Request
    session: Session
    query: Mapping[str, str]
    form: Mapping[str, str]


def page(desk: Desk, visit: Visit, template: str, **values: object) -> HTMLResponse:
    known = {"session": visit.session, "path": visit.request.url.path, "query": visit.query}
    return HTMLResponse(desk.views.write(template, {**known, **values}))
