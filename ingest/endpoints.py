"""The endpoints: where each is served, which rights it wants, and the pages that describe them."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.responses import HTMLResponse, JSONResponse, Response

from ingest import docs
from ingest.docs import Documented
from ingest.door import Served
from ingest.importing import Importing
from ingest.postgres import Pool
from ingest.profiles import ErasingProfile, GettingProfile
from ingest.requests import DeleteProfile, GetProfile, GetTaskStatus, ImportAndStartBatch
from ingest.server import PREFIX
from ingest.tasks import GettingTaskStatus
from schemas.settings import Settings
from schemas.tokens import Right

_IMPORT = "campaigns/triggers/import_and_start_batch"
_IMPORT_TASK = _IMPORT + "_task"
_PROFILE = "profiles/get"
_ERASURE = "profiles/delete"
_STATUS = "tasks/status"
_IMPORTING = frozenset((Right.IMPORT, Right.LAUNCH))
_READING = frozenset((Right.READ,))
_ERASING = frozenset((Right.ERASE,))
_DOCUMENTED = (
    Documented(PREFIX + _IMPORT, ImportAndStartBatch, "result"),
    Documented(PREFIX + _IMPORT_TASK, ImportAndStartBatch, "data"),
    Documented(PREFIX + _PROFILE, GetProfile, "data"),
    Documented(PREFIX + _ERASURE, DeleteProfile, "profile_id"),
    Documented(PREFIX + _STATUS, GetTaskStatus, "data"),
)


def served(settings: Settings, pool: Pool, importing: Importing) -> Sequence[Served]:
    return [
        Served(_IMPORT, _IMPORTING, importing, ImportAndStartBatch),
        Served(_IMPORT_TASK, _IMPORTING, replace(importing, as_task=True), ImportAndStartBatch),
        Served(_PROFILE, _READING, GettingProfile(pool), GetProfile),
        Served(_ERASURE, _ERASING, ErasingProfile(pool), DeleteProfile),
        Served(_STATUS, _READING, GettingTaskStatus(settings, pool), GetTaskStatus),
    ]


def pages() -> dict[str, Response]:
    return {"/docs": HTMLResponse(docs.page(_DOCUMENTED)), "/openapi.json": JSONResponse(docs.openapi(_DOCUMENTED))}
