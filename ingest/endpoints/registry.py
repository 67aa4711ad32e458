"""The endpoints, one row each: all that the server, the documents and a reader must know of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.responses import HTMLResponse, JSONResponse, Response

from ingest.endpoints import configuration_models, docs_page, openapi, response_models, task_models
from ingest.endpoints.batch import BatchEndpoint, Tools
from ingest.endpoints.batch_parameters import (
    BatchRequest,
    ImportAndStart,
    ImportAndStartBatch,
    ImportProfile,
    ImportProfiles,
    SetSubscription,
    Start,
    StartBatch,
    StartBatchTask,
)
from ingest.endpoints.cancelling import Cancel, CancelLaunches
from ingest.endpoints.configuration import (
    ListDatabases,
    ListFields,
    ListTriggers,
    ShowFields,
    ShowList,
)
from ingest.endpoints.openapi import Documented
from ingest.endpoints.parameters import Parameters, names
from ingest.endpoints.profiles import DeleteProfile, EraseProfile, GetProfile, ShowProfile
from ingest.endpoints.task_status import GetTaskStatus, ShowTaskStatus
from ingest.endpoints.trigger_parameters import AddTrigger, UpdateTrigger
from ingest.endpoints.triggers import ConfigureTrigger, GetTrigger, ShowTrigger
from ingest.http.intake import Handler, Served
from ingest.http.server import PREFIX
from schemas.tokens import Right


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

    @property
    def reads(self) -> bool:
        """Whether it does nothing, so that a repeat may be run."""
        return self.rights == {Right.READ}


def _bringing(path: str, model: type[BatchRequest], *, as_task: bool = False) -> Endpoint:
    """The row of an endpoint that brings items."""
    rights = [right for right, needed in ((Right.IMPORT, model.KIND.imports), (Right.LAUNCH, model.KIND.starts)) if needed]
    waited = response_models.OneImported if model.ONE else response_models.BatchImported
    answer = response_models.TaskAccepted if as_task else waited
    return Endpoint(path, frozenset(rights), model, answer, lambda tools: BatchEndpoint(tools, model, as_task), waits=not as_task)


ENDPOINTS = (
    _bringing("campaigns/triggers/import_and_start", ImportAndStart),
    _bringing("campaigns/triggers/import_and_start_batch", ImportAndStartBatch),
    _bringing("campaigns/triggers/import_and_start_batch_task", ImportAndStartBatch, as_task=True),
    _bringing("campaigns/triggers/start", Start),
    _bringing("campaigns/triggers/start_batch", StartBatch),
    _bringing("campaigns/triggers/start_batch_task", StartBatchTask, as_task=True),
    _bringing("profiles/import", ImportProfile),
    _bringing("profiles/import_batch", ImportProfiles),
    _bringing("profiles/import_batch_task", ImportProfiles, as_task=True),
    _bringing("subscriptions/set", SetSubscription),
    Endpoint(
        "campaigns/triggers/get",
        frozenset((Right.READ,)),
        GetTrigger,
        configuration_models.TriggerShown,
        lambda tools: ShowTrigger(tools.pool),
    ),
    Endpoint(
        "campaigns/triggers/list",
        frozenset((Right.READ,)),
        ListTriggers,
        configuration_models.TriggersListed,
        lambda tools: ShowList(tools.pool, ListTriggers),
    ),
    Endpoint(
        "campaigns/triggers/add",
        frozenset((Right.CONFIGURE,)),
        AddTrigger,
        configuration_models.TriggerConfigured,
        lambda tools: ConfigureTrigger(tools.settings, tools.making, AddTrigger),
    ),
    Endpoint(
        "campaigns/triggers/update",
        frozenset((Right.CONFIGURE,)),
        UpdateTrigger,
        configuration_models.TriggerConfigured,
        lambda tools: ConfigureTrigger(tools.settings, tools.making, UpdateTrigger),
    ),
    Endpoint(
        "campaigns/triggers/cancel",
        frozenset((Right.LAUNCH,)),
        CancelLaunches,
        response_models.LaunchesCancelled,
        lambda tools: Cancel(tools.settings, tools.pool),
    ),
    Endpoint(
        "databases/list",
        frozenset((Right.READ,)),
        ListDatabases,
        configuration_models.DatabasesListed,
        lambda tools: ShowList(tools.pool, ListDatabases),
    ),
    Endpoint(
        "databases/fields_get",
        frozenset((Right.READ,)),
        ListFields,
        configuration_models.FieldsListed,
        lambda tools: ShowFields(tools.pool),
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
        lambda tools: EraseProfile(tools.settings, tools.pool),
    ),
    Endpoint(
        "tasks/status",
        frozenset((Right.READ,)),
        GetTaskStatus,
        task_models.TaskShown,
        lambda tools: ShowTaskStatus(tools.settings, tools.pool),
    ),
)


def served(tools: Tools) -> Sequence[Served]:
    return [Served(each.path, each.rights, each.handler(tools), names(each.parameters), each.parameters.ONE) for each in ENDPOINTS]


def pages() -> dict[str, Response]:
    documented = [Documented(PREFIX + each.path, each.parameters, each.answer, each.waits, each.reads) for each in ENDPOINTS]
    document = openapi.openapi(documented)
    return {"/docs": HTMLResponse(docs_page.page(documented, document)), "/openapi.json": JSONResponse(document)}
