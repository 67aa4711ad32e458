"""docs/asyncapi.yaml is an AsyncAPI document, and says what leaves."""

import json
import runpy
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from schemas.asyncapi import CLOUD, asyncapi
from schemas.events import EVENT_TYPES
from tests.launching import campaign, of_import
from workers.launcher.events import Imported, Told, of_ending, of_firing, outgoing
from workers.launcher.model import Ending, Outcome

pytestmark = pytest.mark.promise("P-EVENT-08")
ROOT = Path(__file__).parents[2]
SPECIFICATION = Draft7Validator(json.loads((Path(__file__).parent / "asyncapi-3.0.0" / "schema.json").read_text()))
WHEN = datetime(2026, 1, 31, 8, tzinfo=UTC)
IMPORTED = Imported(1, 3, b"\x01" * 12, 0, b"\x02" * 12, "ann@example.com", {"row": 1})
TOLD = Told("9b2d7c1e0f4a4b5c8d6e7f8091a2b3c4")


def faults(document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in SPECIFICATION.iter_errors(document)]


def test_the_page_is_fresh() -> None:
    """If this fails: `make docs`."""
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))

    assert (ROOT / "docs" / "asyncapi.yaml").read_text() == generate["asyncapi_page"]()
    assert yaml.safe_load(generate["asyncapi_page"]()) == asyncapi()


@pytest.mark.parametrize(
    "spoiled",
    [
        {"asyncapi": "2.6.0"},
        {"info": {"title": "Events"}},
        {"channels": {"events": {"adress": "profuse.events"}}},
        {"operations": {"tell": {"action": "publish", "channel": {"$ref": "#/channels/events"}}}},
        {"components": {"messages": {"event": {"payload": {"type": "text"}}}}},
    ],
    ids=lambda spoiled: next(iter(spoiled)),
)
def test_a_document_that_is_none_is_refused(spoiled: dict[str, Any]) -> None:
    assert faults(asyncapi() | spoiled) != []


def test_it_is_an_asyncapi_document() -> None:
    assert faults(asyncapi()) == []


def test_what_it_refers_to_is_there() -> None:
    document = asyncapi()
    for ref in _refs(document):
        found: Any = document
        for name in ref.removeprefix("#/").split("/"):
            found = found[name]

        assert isinstance(found, dict)


def validator(message: str) -> Draft7Validator:
    """Of a message's payload."""
    components = asyncapi()["components"]
    # Draft 7 looks at nothing beside a reference.
    return Draft7Validator({"allOf": [components["messages"][message]["payload"]], "components": components})


def told() -> list[Any]:
    """One event of each type, as launchers tell it."""
    outcomes = [Outcome(ending, "no_subscription", {"resource_id": 24}) for ending in Ending]
    events = [
        of_import(IMPORTED, WHEN),
        of_firing(IMPORTED, campaign(), TOLD, WHEN.isoformat()),
        *(of_ending(IMPORTED, campaign(), TOLD, outcome, WHEN.isoformat()) for outcome in outcomes),
    ]
    return [json.loads(event.encode()) for event in events]


def test_each_event_is_what_the_page_says() -> None:
    event = validator("event")

    assert {each["event_type"] for each in told()} == set(EVENT_TYPES)
    assert [error.message for each in told() for error in event.iter_errors(each)] == []
    assert list(validator("batch").iter_errors(told())) == []


@pytest.mark.parametrize("change", [{"event_type": "open"}, {"v": 2}, {"profile_id": "x"}, {"more": 1}, {"event_data": {"item": 0}}])
def test_what_is_no_event_is_none_by_the_page(change: dict[str, Any]) -> None:
    spoiled = told()[0] | change

    assert list(validator("event").iter_errors(spoiled)) != []
    assert list(validator("batch").iter_errors([spoiled])) != []


def test_its_examples_are_events() -> None:
    for name, message in asyncapi()["components"]["messages"].items():
        for example in message["examples"]:
            assert list(validator(name).iter_errors(example["payload"])) == []


@pytest.mark.promise("P-EVENT-07")
def test_the_headers_are_those_that_leave() -> None:
    record = outgoing("profuse.events", of_import(IMPORTED, WHEN), cloud=True)

    assert [name for name, _ in record.headers] == list(CLOUD)


def _refs(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": ref}:
            yield ref
        case dict():
            for each in value.values():
                yield from _refs(each)
        case list():
            for each in value:
                yield from _refs(each)
