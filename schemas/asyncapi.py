"""Pure: what leaves on the topic of events and by hooks, as an AsyncAPI 3.0 document made from the messages."""

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas import ids
from schemas.events import EVENT_TYPES, ProfileEvent
from schemas.ids import TriggerId
from schemas.settings import Settings
from schemas.topics import EVENTS

_REF = "#/components/schemas/{name}"
_EVENT = {"$ref": _REF.format(name=ProfileEvent.__name__)}
_JSON = "application/json"

# Of CloudEvents 1.0 in binary mode; only with the setting that asks for them.
CLOUD = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": {"type": "string", "description": "`event_id`"},
    "ce_source": {"type": "string", "examples": ["/accounts/1/databases/1"]},
    "ce_type": {"type": "string", "examples": ["profuse.send"]},
    "ce_time": {"type": "string", "description": "`event_date`"},
    "ce_subject": {"type": "string", "description": "`profile_id`"},
    "content-type": {"const": _JSON},
}
_SIGNED = {
    "webhook-id": {"type": "string", "description": "A hash of hook, partition, first and last offset: the same in every repeat."},
    "webhook-timestamp": {"type": "string", "description": "Of this attempt, in Unix seconds."},
    "webhook-signature": {"type": "string", "description": "`v1,…`, one for each of the hook's secrets, with a blank between."},
}

_BATCH, _PROFILE, _EMAIL = bytes.fromhex("019f3c1b2a4d5e6f70819201"), "019f3c1b2a4d5e6f70819203", "ann@example.com"
_LAUNCH = ids.launch_id(_BATCH, 0, TriggerId(1))
_SENT = ProfileEvent(
    event_id=ids.event_id(_LAUNCH, "send"),
    event_type="send",
    event_date="2026-01-31T08:00:00.123456+00:00",
    profile_id=_PROFILE,
    md5=ids.md5_of(_EMAIL),
    list_id=1,
    account_id=1,
    custom_data={"row": 1},
    event_data={"batch_id": _BATCH.hex(), "item": 0, "campaign_id": 8, "launch_id": _LAUNCH},
    subscription={"resource_id": 24, "channel": "email", "email": _EMAIL, "status": "subscribed", "priority": 0},
)


def asyncapi() -> dict[str, Any]:
    """Told from Profuse's side: it sends, whoever reads it receives."""
    topic = Settings.model_construct().topic(EVENTS.name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Profuse's events",
            "version": str(ProfileEvent.VERSION),
            "description": "What happened to profiles and their launches: on a topic of Kafka, and as signed POSTs to action hooks. "
            "Each event comes at least once; a repeat has the same `event_id`, and every field equal. "
            "Made from the code by `make docs`; a test fails when it is stale.",
        },
        "defaultContentType": _JSON,
        "channels": {
            "events": {
                "address": topic,
                "description": f"The events of all accounts, kept for as long as `PROFUSE_{EVENTS.kept_for.upper()}` says. "
                "`PROFUSE_PREFIX` is the first part of its name.",
                "messages": {"event": {"$ref": "#/components/messages/event"}},
                "bindings": {"kafka": {"topic": topic, "bindingVersion": "0.5.0"}},
            },
            "hook": {
                "address": None,
                "description": "The `url` of an action hook: the events of its account, of the types that it asks for.",
                "messages": {"batch": {"$ref": "#/components/messages/batch"}},
            },
        },
        "operations": {
            "tell": {"action": "send", "channel": {"$ref": "#/channels/events"}, "summary": "By profile, in order."},
            "post": {
                "action": "send",
                "channel": {"$ref": "#/channels/hook"},
                "summary": "In the topic's order per partition, one after the other; what is not taken comes again as it was.",
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            },
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _messages() -> dict[str, Any]:
    example = msgspec.json.decode(_SENT.encode())
    return {
        "event": {
            "title": "One event",
            "headers": {"type": "object", "description": "Only with `PROFUSE_CLOUD_EVENTS`.", "properties": CLOUD},
            "payload": _EVENT,
            "bindings": {"kafka": {"key": {"type": "string", "description": EVENTS.key}, "bindingVersion": "0.5.0"}},
            "examples": [{"payload": example}],
        },
        "batch": {
            "title": "Events of one account, signed by Standard Webhooks 1.0",
            "headers": {"type": "object", "properties": _SIGNED, "required": list(_SIGNED)},
            "payload": {"type": "array", "minItems": 1, "items": _EVENT},
            "examples": [{"payload": [example]}],
        },
    }


def _schemas() -> dict[str, Any]:
    _, found = msgspec.json.schema_components([ProfileEvent], ref_template=_REF)
    event = found[ProfileEvent.__name__]
    event["properties"]["v"] = {"const": ProfileEvent.VERSION}
    event["properties"]["event_type"]["enum"] = list(EVENT_TYPES)
    event["required"] = ["v", *event["required"]]
    return {name: _of_javascript(schema) for name, schema in found.items()}


def _of_javascript(schema: Any) -> Any:
    """Patterns are JavaScript's in a schema, where the end of a text is `$`."""
    match schema:
        case Mapping():
            return {name: each.replace(r"\Z", "$") if name == "pattern" else _of_javascript(each) for name, each in schema.items()}
        case list():
            return [_of_javascript(each) for each in schema]
        case _:
            return schema
