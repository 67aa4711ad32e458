"""The endpoints' rows, and the pages that are made of them."""

import json
from typing import Any

import pytest

from ingest.endpoints import registry
from ingest.endpoints.parameters import checked
from ingest.endpoints.registry import ENDPOINTS, Endpoint
from schemas.item_errors import Why


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(bytes(registry.pages()["/openapi.json"].body))


@pytest.mark.promise("P-HTTP-29")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.path)
def test_an_endpoint_shows_a_request_that_passes(endpoint: Endpoint) -> None:
    shown = endpoint.parameters.model_config["json_schema_extra"]
    assert isinstance(shown, dict)
    examples: Any = shown["examples"]

    assert examples
    for example in examples:
        checked(endpoint.parameters, example)


@pytest.mark.promise("P-HTTP-29")
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.path)
def test_an_endpoint_shows_each_of_its_answers(endpoint: Endpoint, document: Any) -> None:
    responses = document["paths"][f"/api/v1.1/{endpoint.path}"]["post"]["responses"]
    shapes = {status: each["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2] for status, each in responses.items()}

    assert shapes["200"] == endpoint.answer.__name__
    assert shapes.get("202") == ("StillProcessing" if endpoint.waits else None)
    assert {shapes[status] for status in ("400", "401", "403", "404", "409", "415", "422", "429", "503")} == {"Failure"}
    assert set(shapes.values()) <= document["components"]["schemas"].keys()


@pytest.mark.promise("P-HTTP-29")
def test_the_pages_name_every_error_of_an_item(document: Any) -> None:
    page = bytes(registry.pages()["/docs"].body).decode()
    texts = [why.text for why in Why]

    assert document["components"]["schemas"]["FailedItem"]["properties"]["error_text"]["enum"] == texts
    assert all(text.replace("'", "&#x27;") in page for text in texts)
    assert len(set(texts)) == len(texts)
