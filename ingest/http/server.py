"""The HTTP routes: answers and refusals as responses."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.envelope import Answer
from ingest.http.intake import Intake, Served, wants_200
from ingest.http.scanning import NotJson
from ingest.request_errors import Refused, invalid, method_not_allowed, not_found, unavailable
from runtime.advice import KAFKA_AWAY, todo
from runtime.kafka import BrokerUnavailable
from runtime.tracing import traces
from runtime.trouble import Trouble, innermost, kind_of, trouble_of
from schemas import metrics

log = structlog.get_logger()

PREFIX = "/api/v1.1/"

Handle = Callable[[Request], Awaitable[Response]]
_Answered = TypeVar("_Answered", Answer, Response)


@dataclass(frozen=True)
class Beside:
    """What is no call of the API: below `path`, which may be logged, by method; `unavailable` is its 503."""

    path: str
    rest: str
    handlers: Mapping[str, Handle]
    unavailable: Callable[[], Response]


def application(intake: Intake, endpoints: Sequence[Served], pages: Mapping[str, Response], others: Sequence[Beside] = ()) -> Starlette:
    """The whole API, every path of it with a trailing slash too, and what is no part of it."""
    routes = [Route(path, _page(response), methods=["GET"]) for path, response in pages.items()]
    for other in others:
        path = other.path + other.rest
        routes += [Route(path, _beside(intake, other, handle), methods=[method]) for method, handle in other.handlers.items()]
    for served in endpoints:
        handler = _handler(intake, served)
        routes += [Route(PREFIX + served.path + slash, handler, methods=["POST"]) for slash in ("", "/")]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _not_served})
    app.router.redirect_slashes = False
    return app


def _handler(intake: Intake, served: Served) -> Handle:
    async def handle(request: Request) -> Response:
        with traces().request(PREFIX + served.path, request.headers.getlist("traceparent")) as span:
            answer = await _answer(intake, request, served)
            span.ends(answer.status, failed=answer.status >= 500)
        metrics.REQUESTS.labels(served.path, str(answer.status)).inc()
        return _response(answer.always_200() if wants_200(request) else answer)

    return handle


def _beside(intake: Intake, other: Beside, handle: Handle) -> Handle:
    async def answer(request: Request) -> Response:
        answered = await _bounded(intake, other.path, handle(request), other.unavailable)
        metrics.REQUESTS.labels(other.path, str(answered.status_code)).inc()
        return answered

    return answer


async def _answer(intake: Intake, request: Request, served: Served) -> Answer:
    with metrics.REQUEST_SECONDS.labels(served.path).time():
        return await _bounded(intake, served.path, _foreseen(intake, request, served), lambda: unavailable().answer())


async def _bounded(intake: Intake, path: str, answering: Awaitable[_Answered], instead: Callable[[], _Answered]) -> _Answered:
    """The boundary of a request: a fault of ours costs the one that met it, and nobody else."""
    try:
        async with intake.until_closed():
            return await answering
    except Exception as error:
        if trouble_of(error) is Trouble.WORLD:
            _tell(intake, log.warning, "database_away", path, error=type(error).__name__, **todo(error))
        else:
            _tell(intake, log.exception, "request_failed", path, kind=kind_of(innermost(error)))
        return instead()


def _tell(intake: Intake, say: Callable[..., Any], event: str, path: str, **what: str) -> None:
    """Of many that fail alike in a line."""
    if many := intake.sparing.told((event, path, *what.values()), time.monotonic()):
        say(event, path=path, requests=many, **what)


async def _foreseen(intake: Intake, request: Request, served: Served) -> Answer:
    try:
        return await intake.answer(request, served)
    except Refused as refused:
        return refused.answer()
    except NotJson as why:
        return invalid(str(why)).answer()
    except BrokerUnavailable:
        _tell(intake, log.warning, "broker_away", served.path, todo=KAFKA_AWAY)
        return unavailable().answer()
    except ClientDisconnect:
        # Nobody reads it.
        return invalid("the body ends too early").answer()


def _response(answer: Answer) -> Response:
    return Response(answer.body(), answer.status, dict(answer.headers), "application/json")


def _page(response: Response) -> Handle:
    async def show(_: Request) -> Response:
        return response

    return show


async def _not_served(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return _response(method_not_allowed(error.headers).answer())
    return _response(not_found("unknown path").answer())
