"""The OpenAPI document tells whoever reads nothing else: each member, each type, an example of each request and answer."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ingest.endpoints import registry
from schemas import actions
from schemas.system_fields import SYSTEM_FIELDS, SYSTEM_MEANINGS
from schemas.tokens import Right
from workers.matcher import subscribing

pytestmark = pytest.mark.promise("P-DOCS-01")

DOCUMENT: Any = json.loads(bytes(registry.pages()["/openapi.json"].body))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
BODIES = [
    pytest.param(body["content"]["application/json"], id=f"{path.removeprefix('/api/v1.1/')} {name}")
    for path, methods in DOCUMENT["paths"].items()
    for name, body in [("request", methods["post"]["requestBody"]), *methods["post"]["responses"].items()]
]
# What is counted in a unit, and how a description says so.
UNITS = {
    "minutes": "Minutes",
    "hours": "Hours",
    "days": "Days",
    "skip_minutes": "Minutes",
    "pace": "minute",
    "spread": "Minutes",
    "progress": "%",
}


def refs(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": str(ref)}:
            yield ref
        case dict():
            for each in value.values():
                yield from refs(each)
        case list():
            for each in value:
                yield from refs(each)


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_what_it_refers_to_is_there() -> None:
    assert {ref.removeprefix("#/components/schemas/") for ref in refs(DOCUMENT)} <= SCHEMAS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_type_is_told_and_each_of_its_members(name: str) -> None:
    schema = SCHEMAS[name]
    members = schema.get("properties", {})

    Draft202012Validator.check_schema(schema)
    assert schema.get("description")
    # What a reference alone leads to is told there.
    assert [member for member, told in members.items() if not told.get("description") and "$ref" not in told] == []
    assert [member for member, unit in UNITS.items() if member in members and unit not in members[member]["description"]] == []


@pytest.mark.parametrize("body", BODIES)
def test_a_request_and_each_answer_has_an_example_that_fits(body: dict[str, Any]) -> None:
    assert body["example"]
    assert faults(body["schema"], body["example"]) == []


@pytest.mark.parametrize("name", [name for name in SCHEMAS if "examples" in SCHEMAS[name]])
def test_a_type_has_examples_that_fit(name: str) -> None:
    assert [faults(SCHEMAS[name], example) for example in SCHEMAS[name]["examples"]] == [[]] * len(SCHEMAS[name]["examples"])


def test_an_example_that_does_not_fit_would_be_seen() -> None:
    assert faults(SCHEMAS["Timeout"], {"weeks": 1}) != []
    assert faults(SCHEMAS["GivenSubscription"], {"email": 5}) != []


def test_the_page_tells_what_is_inside_of_what() -> None:
    page = bytes(registry.pages()["/docs"].body).decode()
    linked = set(re.findall(r"href=#([\w/.]+)", page))

    assert set(re.findall(r"id=([\w/.]+)", page)) >= linked >= {"GivenProfile", "GivenSubscription", "FunctionalUpdate"}
    assert {"timeout.days", "attach[].data", "data.result.items[].profile_id", "email_data.email", "submatch"} <= set(
        re.findall(r"<td><code>([^<]+)</code>", page)
    )


def test_every_system_field_is_told() -> None:
    assert SYSTEM_MEANINGS.keys() == SYSTEM_FIELDS.keys()
    assert SYSTEM_FIELDS.keys() <= SCHEMAS["GivenProfile"]["properties"].keys() & SCHEMAS["Profile"]["properties"].keys()


def test_what_is_told_is_what_the_matcher_takes() -> None:
    told = SCHEMAS["FunctionalUpdate"]["properties"]

    assert SCHEMAS["GivenSubscription"]["properties"].keys() == subscribing._KEYS
    assert told.keys() == actions._KEYS
    assert set(told["action"]["enum"]) == actions._WORDS


@pytest.mark.parametrize(
    "profile",
    [
        {"email": "ann@example.com", "phones": ["+79000000000"], "_sex": 2, "_bdate": "1990-02-03", "plan": "pro", "crm": {"a": [1]}},
        {"email": None, "_fname": None, "visits": {"action": "incr", "value": 1}, "_city": {"action": "unset"}},
        {"subscriptions": [{"resource_id": 24, "email_data": {"email": "a@b.cd"}, "cats": {"action": "add", "value": ["news"]}}]},
        {"subscriptions": {"action": "unset"}},
    ],
)
def test_a_profile_may_be_written_so(profile: dict[str, Any]) -> None:
    assert faults(SCHEMAS["GivenProfile"], profile) == []
    assert faults(SCHEMAS["Item"], {"data": profile}) == []


def test_files_may_be_one_or_several() -> None:
    file, launch = {"name": "a.txt", "data": "data:text/plain;base64,SGVsbG8hCg=="}, {"token": "t", "id": 8, "email": "ann@example.com"}

    assert [faults(SCHEMAS["Start"], {**launch, "attach": attach}) for attach in (file, [file, file])] == [[], []]
    assert faults(SCHEMAS["Start"], {**launch, "attach": {"name": "a.txt"}}) != []


@pytest.mark.promise("P-REQID-13")
def test_a_request_id_belongs_to_what_changes_anything() -> None:
    named = {path.removeprefix("/api/v1.1/") for path, item in DOCUMENT["paths"].items() if item["post"]["parameters"]}

    assert named == {endpoint.path for endpoint in registry.ENDPOINTS if endpoint.rights != {Right.READ}}
    assert named >= {"profiles/delete", "campaigns/triggers/cancel", "subscriptions/set"}
