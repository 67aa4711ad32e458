"""Feeds bodies to all that reads them, the matcher included: an answer, a refusal or a failed item, never an error of ours."""

import sys
from collections.abc import Coroutine, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar

import atheris

from fuzz import structured

with atheris.instrument_imports(include=["ingest", "schemas", "workers"]):
    from ingest.admission.budget import Budget, Share
    from ingest.endpoints.batch_parameters import Asked, BatchRequest
    from ingest.endpoints.items import Shared, prepare, root_values
    from ingest.endpoints.parameters import Parameters, checked, names, searched_field
    from ingest.endpoints.registry import ENDPOINTS
    from ingest.http import attachments, spans
    from ingest.http.call import Call
    from ingest.http.interleaving import in_turns
    from ingest.http.scanning import NotJson
    from ingest.publish.record import record
    from ingest.request_errors import Refused
    from ingest.sql.accounts import Token
    from schemas.fields import Field
    from schemas.ids import ResourceNumber, TriggerId, new_id
    from schemas.item_errors import ItemFailed
    from schemas.matching import Own
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
    for endpoint in ENDPOINTS:
        try:
            _feed(endpoint.parameters, body)
        except (NotJson, Refused):
            continue


def _feed(model: type[Parameters], body: bytes) -> None:
    call = _call(model, body)
    request = checked(model, call.parameters())
    if isinstance(request, BatchRequest):
        asked = request.asked()
        asked.check_limits(SETTINGS)
        own = searched_field(request, FIELDS)
        _run(in_turns(attachments.decoded([attached.data for attached in asked.attach]), call.share))
        _import(asked, own)


def _import(asked: Asked, own: Own | None) -> None:
    match = asked.match
    shared = Shared(asked.shape, 1, match.matching, {}, own, SETTINGS.item_limit, SETTINGS.custom_data_limit)
    shared = replace(shared, roots=root_values(match.match_values, shared))
    settings = asdict(asked.settings()) | {"field_name": own.name if own else None}
    batch = Batch(**settings, id=BATCH, database=DATABASE, trigger=TriggerId(1), total=len(asked.data), resource=match.resource_id)
    for number, raw in enumerate(asked.data):
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
    items = _run(spans.items(root, SETTINGS, share, one=model.ONE))
    return Call(TOKEN, "", root, items, None, b"", share, SETTINGS)


def _run(turns: Coroutine[Any, Any, R]) -> R:
    """Its turns for others need no event loop."""
    try:
        while True:
            turns.send(None)
    except StopIteration as returned:
        result: R = returned.value
        return result


if __name__ == "__main__":
    atheris.Setup(sys.argv, feed)
    atheris.Fuzz()
