"""Feeds bodies to all that reads them, the matcher included: an answer, a refusal or a failed item, never an error of ours."""

import sys
from collections.abc import Mapping
from typing import Any

import atheris

from fuzz import structured

with atheris.instrument_imports(include=["ingest", "schemas", "workers"]):
    from ingest.accounts import Token
    from ingest.answers import Refused
    from ingest.budgets import Budget, Share
    from ingest.calls import Call
    from ingest.door import _parsed
    from ingest.items import Shared, prepare
    from ingest.parsing import NotJson
    from ingest.records import record
    from ingest.requests import GetProfile, GetTaskStatus, ImportAndStartBatch, check_limits, checked, matched_field
    from schemas.failures import ItemFailed
    from schemas.fields import Field
    from schemas.ids import new_id
    from schemas.messages import ProfileImport
    from schemas.settings import KIB, Settings
    from workers.matcher.batches import Batch, Database
    from workers.matcher.reading import read

SETTINGS = Settings(body_limit=64 * KIB, attach_body_limit=128 * KIB, item_limit=KIB, shared_limit=KIB, profiles_limit=20)
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
DATABASE = Database(1, "reject", FIELDS, {24: "email", 25: "sms"}, (), ())


def feed(data: bytes) -> None:
    try:
        # No JSON begins with NUL.
        call = _call(structured.body(data[1:]) if data[:1] == b"\0" else data)
        for model in (GetProfile, GetTaskStatus):
            _try(model, call)
        request = checked(ImportAndStartBatch, call.parameters())
        check_limits(request, SETTINGS.profiles_limit, SETTINGS.shared_limit)
        field = matched_field(request, FIELDS)
    except (NotJson, Refused):
        return
    name = request.field_name if field else None
    shared = Shared(1, request.matching, request.match_value, name, field, SETTINGS.item_limit)
    flags = request.skip_triggers, request.skip_invalid_subscriptions, request.detect_geo
    batch = Batch(BATCH, DATABASE, 1, len(request.data), request.matching, name, request.resource_id, *flags)
    for number, piece in enumerate(request.data):
        try:
            prepared = prepare(piece, shared)
        except ItemFailed as failed:
            failed.entry()
            continue
        _, value, _ = record(BATCH, number, prepared)
        read(ProfileImport.decode(value), batch, lambda _: {})


def _call(body: bytes) -> Call:
    parsing = _parsed(body, SETTINGS)
    try:
        while True:
            # Its turns for others need no event loop.
            parsing.send(None)
    except StopIteration as returned:
        root, items = returned.value
    return Call(TOKEN, "", root, items, None, b"", Share(Budget(1)))


def _try(model: type[GetProfile | GetTaskStatus], call: Call) -> None:
    try:
        checked(model, call.parameters())
    except Refused:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, feed)
    atheris.Fuzz()
