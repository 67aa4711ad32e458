"""The endpoints, one row each: all that the server, the documents and a reader must know of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import BaseModel
from starlette.responses import HTMLResponse, JSONResponse, Response

from ingest.endpoints import openapi, response_models
from ingest.endpoints.batch_parameters import ImportAndStartBatch
from ingest.endpoints.import_batch import ImportBatch
from ingest.endpoints.openapi import Documented
from ingest.endpoints.parameters import Parameters, names
from ingest.endpoints.profiles import DeleteProfile, EraseProfile, GetProfile, ShowProfile
from ingest.endpoints.task_status import GetTaskStatus, ShowTaskStatus
from ingest.http.intake import Handler, Served
from ingest.http.server import PREFIX
from ingest.sql.pool import Pool
from schemas.settings import Settings
from schemas.tokens import Right


@dataclass(frozen=True)
class Tools:
    """What handlers are made of."""

    settings: Settings
    pool: Pool
    import_batch: ImportBatch


@dataclass(frozen=True)
class Endpoint:
    """A row."""

    path: str
    rights: frozenset[Right]
    parameters: type[Parameters]
    answer: type[BaseModel]
    handler: Callable[[Tools], Handler]
    # Whether it may run out of time, and say 202.
    waits: bool = False


ENDPOINTS = (
    Endpoint(
        "campaigns/triggers/import_and_start_batch",
        frozenset((Right.IMPORT, Right.LAUNCH)),
        ImportAndStartBatch,
        response_models.BatchImported,
        lambda tools: tools.import_batch,
        waits=True,
    ),
    Endpoint(
        "campaigns/triggers/import_and_start_batch_task",
        frozenset((Right.IMPORT, Right.LAUNCH)),
        ImportAndStartBatch,
        response_models.TaskAccepted,
        lambda tools: replace(tools.import_batch, as_task=True),
    ),
    Endpoint(
        "profiles/get",
        frozenset((Right.READ,)),
        GetProfile,
        response_models.ProfileShown,
        lambda tools: ShowProfile(tools.pool),
    ),
    Endpoint(
        "profiles/delete",
        frozenset((Right.ERASE,)),
        DeleteProfile,
        response_models.ProfileErased,
        lambda tools: EraseProfile(tools.pool),
    ),
    Endpoint(
        "tasks/status",
        frozenset((Right.READ,)),
        GetTaskStatus,
        response_models.TaskShown,
        lambda tools: ShowTaskStatus(tools.settings, tools.pool),
    ),
)


def served(tools: Tools) -> Sequence[Served]:
    return [Served(each.path, each.rights, each.handler(tools), names(each.parameters)) for each in ENDPOINTS]


def pages() -> dict[str, Response]:
    documented = [Documented(PREFIX + each.path, each.parameters, each.answer, each.waits) for each in ENDPOINTS]
    document = openapi.openapi(documented)
    return {"/docs": HTMLResponse(openapi.page(documented, document)), "/openapi.json": JSONResponse(document)}
