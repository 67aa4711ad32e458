"""Feeds bodies to all that reads them, the matcher included: an answer, a refusal or a failed item, never an error of ours."""

import sys
from collections.abc import Coroutine, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar

import atheris

from fuzz import structured

with atheris.instrument_imports(include=["ingest", "schemas", "workers"]):
    from ingest.admission.budget import Budget, Share
    from ingest.endpoints.batch_parameters import ImportAndStartBatch, check_limits
    from ingest.endpoints.items import Shared, prepare, shared_value
    from ingest.endpoints.parameters import Parameters, checked, names, searched_field
    from ingest.endpoints.profiles import GetProfile
    from ingest.endpoints.task_status import GetTaskStatus
    from ingest.errors import Refused
    from ingest.http import attachments, spans
    from ingest.http.call import Call
    from ingest.http.interleaving import in_turns
    from ingest.http.scanning import NotJson
    from ingest.publish.record import record
    from ingest.sql.accounts import Token
    from schemas.fields import Field
    from schemas.ids import ResourceNumber, TriggerId, new_id
    from schemas.item_errors import ItemFailed
    from schemas.messages import ProfileImport
    from schemas.settings import Settings
    from workers.matcher.batches import Batch, Database
    from workers.matcher.item import read

# The limits are the real ones: what is bounded by them is what an attacker may send.
SETTINGS = Settings()
R = TypeVar("R")
TOKEN = Token(1, 1, frozenset())
BATCH = new_id()
DECLARED: Mapping[str, Any] = {
    "i": {"type": "int", "match": True},
    "f": "float",
    "s": {"type": "string", "match": True},
    "b": "boolean",
    "d": {"type": "date", "match": True},
    "e": {"type": "enum", "options": ["free", "pro"], "match": True},
    "a": {"type": "ip", "match": True},
    "t": {"type": "tags", "match": True},
    "o": "object",
    "l": "arr_object",
}
FIELDS = {name: Field.model_validate(declared) for name, declared in DECLARED.items()}
DATABASE = Database(1, "reject", FIELDS, {ResourceNumber(24): "email", ResourceNumber(25): "sms"}, (), ())


def feed(data: bytes) -> None:
    # No JSON begins with NUL.
    body = structured.body(data[1:]) if data[:1] == b"\0" else data
    for model in (GetProfile, GetTaskStatus):
        _try(model, body)
    try:
        call = _call(ImportAndStartBatch, body)
        request = checked(ImportAndStartBatch, call.parameters())
        check_limits(request, SETTINGS)
        own = searched_field(request, FIELDS)
        _run(in_turns(attachments.decoded([attached.data for attached in request.attach])))
        _import(request, own.field if own else None)
    except (NotJson, Refused):
        return


def _import(request: ImportAndStartBatch, field: Field | None) -> None:
    name = request.field_name if field else None
    shared = Shared(1, request.matching, None, name, field, SETTINGS.item_limit, SETTINGS.custom_data_limit)
    shared = replace(shared, match_value=shared_value(request.match_value, shared))
    settings = asdict(request.settings()) | {"field_name": name}
    batch = Batch(**settings, id=BATCH, database=DATABASE, trigger=TriggerId(1), total=len(request.data), resource=request.resource_id)
    for number, raw in enumerate(request.data):
        try:
            prepared = prepare(raw, shared)
        except ItemFailed as failed:
            failed.entry()
            continue
        _, written, _ = record(BATCH, number, prepared)
        read(ProfileImport.decode(written), batch, lambda _: {})


def _call(model: type[Parameters], body: bytes) -> Call:
    share = Share(Budget(1))
    root = _run(spans.opened(body, names(model), SETTINGS, share))
    items = _run(spans.items(root, SETTINGS))
    spans.check_size_beside_attach(root, len(body), SETTINGS)
    return Call(TOKEN, "", root, items, None, b"", share, SETTINGS)


def _run(turns: Coroutine[Any, Any, R]) -> R:
    """Its turns for others need no event loop."""
    try:
        while True:
            turns.send(None)
    except StopIteration as returned:
        result: R = returned.value
        return result


def _try(model: type[GetProfile | GetTaskStatus], body: bytes) -> None:
    try:
        checked(model, _call(model, body).parameters())
    except (NotJson, Refused):
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, feed)
    atheris.Fuzz()
