"""The health port of a process: /healthz, /readyz and /metrics."""

from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schemas.metrics import PROBLEMS


class Checked(Protocol):
    """What is asked how it is."""

    def alive(self) -> list[str]:
        """Problems with its progress."""

    async def ready(self) -> list[str]:
        """Problems with its edges."""


def application(room: Checked) -> Starlette:
    async def healthz(_: Request) -> Response:
        return _answer(room.alive())

    async def readyz(_: Request) -> Response:
        return _answer(await room.ready())

    async def metrics(_: Request) -> Response:
        # Whoever watches metrics alone sees them, too.
        PROBLEMS.labels("healthz").set(len(room.alive()))
        PROBLEMS.labels("readyz").set(len(await room.ready()))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])


def _answer(problems: list[str]) -> Response:
    return JSONResponse({"problems": problems}, status_code=503 if problems else 200)
