"""/openapi.json from the models, and /docs, a page that shows it without asking any other host."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ingest.answers import SUCCESS

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3rem;text-align:left;vertical-align:top}
code{background:#f3f3f3;padding:0 .2rem}"""

ERRORS = {
    400: "Invalid request: error_debug names the parameter and why",
    401: "API token required",
    403: "No access: the token lacks a right",
    404: "Not found in the token's account",
    409: "Conflict: the trigger cannot be started, or the same Request-ID is being accepted",
    415: "Unsupported content encoding",
    422: "Request-ID reused with another path or body",
    429: "Too many requests: repeat after as many seconds as Retry-After says",
    503: "Temporarily unavailable: repeat with the same Request-ID",
}


@dataclass(frozen=True)
class Documented:
    """An endpoint's path, its parameters and what its answer adds to the envelope."""

    path: str
    parameters: type[BaseModel]
    adds: str

    @property
    def summary(self) -> str:
        return str(self.parameters.__doc__)


def openapi(endpoints: Sequence[Documented]) -> dict[str, Any]:
    """The API as an OpenAPI 3.1 document."""
    _, schemas = models_json_schema(
        [(documented.parameters, "validation") for documented in endpoints], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Profuse", "version": "1.1", "description": "Import profiles in bulk and start a trigger for each."},
        "paths": {documented.path: {"post": _operation(documented)} for documented in endpoints},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(documented: Documented) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{documented.parameters.__name__}"}
    failures = {str(status): _response(text, {}) for status, text in ERRORS.items()}
    return {
        "summary": documented.summary,
        # The token may stand in the body instead.
        "security": [{"bearer": []}, {}],
        "parameters": [
            {
                "name": "Request-ID",
                "in": "header",
                "description": "A repeat within 24 h is answered, not run.",
                "schema": {"type": "string"},
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": reference}}},
        "responses": {"200": _response(SUCCESS, {documented.adds: {}}), **failures},
    }


def _response(description: str, added: dict[str, Any]) -> dict[str, Any]:
    properties = {"error": {"type": "integer"}, "error_text": {"type": "string"}, "error_debug": {"type": "string"}, **added}
    schema = {"type": "object", "properties": properties, "required": ["error", "error_text"]}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def page(endpoints: Sequence[Documented]) -> str:
    """The same for a person."""
    document = openapi(endpoints)
    parts = [_section(documented, document["components"]["schemas"][documented.parameters.__name__]) for documented in endpoints]
    errors = "".join(f"<tr><td><code>{error}</code></td><td>{escape(text)}</td></tr>" for error, text in ERRORS.items())
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Profuse API</title><style>{_STYLE}</style>"
        "<h1>Profuse API</h1><p>POST, JSON, UTF-8. Every answer has <code>error</code> and <code>error_text</code>. "
        "The machine-readable form is <a href=/openapi.json>openapi.json</a>.</p>"
        f"{''.join(parts)}<h2>Errors</h2><table>{errors}</table></html>"
    )


def _section(documented: Documented, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = "".join(_row(name, property_, name in required) for name, property_ in schema["properties"].items())
    return (
        f"<h2><code>POST {escape(documented.path)}</code></h2><p>{escape(documented.summary)} "
        f"The answer adds <code>{escape(documented.adds)}</code>.</p>"
        f"<table><tr><th>Parameter<th>Type<th>Default<th>Meaning</tr>{rows}</table>"
    )


def _row(name: str, schema: dict[str, Any], required: bool) -> str:
    default = "required" if required else msgspec.json.encode(schema.get("default")).decode()
    cells = (
        f"<code>{escape(name)}</code>",
        escape(_type(schema)),
        f"<code>{escape(default)}</code>",
        escape(schema.get("description", "")),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    return str(schema.get("type") or schema.get("const") or schema.get("$ref", "any").rpartition("/")[2])
