"""/openapi.json from the models, and /docs, a page that shows it without asking any other host."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from ingest.endpoints.response_models import Failure, StillProcessing
from schemas.item_errors import Why

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3rem;text-align:left;vertical-align:top}
code{background:#f3f3f3;padding:0 .2rem}pre{background:#f3f3f3;padding:.5rem;overflow:auto}"""
_REF = "#/components/schemas/{model}"

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
    """An endpoint's path, its parameters, its answer, and whether it may answer 202."""

    path: str
    parameters: type[BaseModel]
    answer: type[BaseModel]
    waits: bool

    @property
    def summary(self) -> str:
        return str(self.parameters.__doc__)


def openapi(endpoints: Sequence[Documented]) -> dict[str, Any]:
    """The API as an OpenAPI 3.1 document."""
    asked: set[type[BaseModel]] = {documented.parameters for documented in endpoints}
    told: set[type[BaseModel]] = {StillProcessing, Failure, *(documented.answer for documented in endpoints)}
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((each, "validation") for each in asked),
        *((each, "serialization") for each in told),
    ]
    _, schemas = models_json_schema(sorted(models, key=lambda each: each[0].__name__), ref_template=_REF)
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
    responses = {"200": _response(documented.answer)}
    if documented.waits:
        responses["202"] = _response(StillProcessing)
    return {
        "summary": documented.summary,
        # The token may stand in the body instead.
        "security": [{"bearer": []}, {}],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "description": "A repeat within 24 h is answered, not run.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
            }
            for name in ("Request-ID", "Idempotency-Key")
        ],
        "requestBody": {"required": True, "content": _json(documented.parameters)},
        "responses": responses | {str(status): _response(Failure, text) for status, text in ERRORS.items()},
    }


def _response(model: type[BaseModel], description: str | None = None) -> dict[str, Any]:
    return {"description": description or str(model.__doc__ or model.__name__), "content": _json(model)}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}


def page(endpoints: Sequence[Documented], document: dict[str, Any]) -> str:
    """The same document for a person."""
    schemas = document["components"]["schemas"]
    errors = _table(("error", "meaning"), ((f"<code>{error}</code>", escape(text)) for error, text in ERRORS.items()))
    failures = _table(
        ("error", "error_text", "meaning"),
        ((f"<code>{why.error}</code>", f"<code>{escape(why.text)}</code>", _prose(why.meaning)) for why in Why),
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Profuse API</title><style>{_STYLE}</style>"
        "<h1>Profuse API</h1><p>POST, JSON, UTF-8. Every answer has <code>error</code> and <code>error_text</code>. "
        "The machine-readable form is <a href=/openapi.json>openapi.json</a>.</p>"
        f"{''.join(_section(documented, schemas) for documented in endpoints)}"
        f"<h2>Errors of a request</h2>{errors}<h2>Errors of an item</h2>{failures}</html>"
    )


def _section(documented: Documented, schemas: dict[str, Any]) -> str:
    asked = schemas[documented.parameters.__name__]
    answers: list[type[BaseModel]] = [documented.answer, StillProcessing] if documented.waits else [documented.answer]
    shown = "".join(f"<p>{_prose(model.__doc__ or 'The answer.')}</p>{_members(model.__name__, schemas)}" for model in answers)
    return (
        f"<h2><code>POST {escape(documented.path)}</code></h2><p>{_prose(documented.summary)}</p>"
        f"{_members(documented.parameters.__name__, schemas)}{_examples(asked)}<h3>Answer</h3>{shown}"
    )


def _members(model: str, schemas: dict[str, Any]) -> str:
    """The members of an object, and of those inside it, by their paths."""
    return _table(("name", "type", "default", "meaning"), _rows(schemas[model], schemas, ""))


def _rows(schema: dict[str, Any], schemas: dict[str, Any], path: str) -> Iterable[tuple[str, ...]]:
    required = schema.get("required", [])
    for name, member in schema.get("properties", {}).items():
        default = "required" if name in required else msgspec.json.encode(member.get("default")).decode()
        yield (
            f"<code>{escape(path + name)}</code>",
            escape(_type(member, schemas)),
            f"<code>{escape(default)}</code>",
            _prose(member.get("description", "")),
        )
        for inner, mark in _inside(member):
            yield from _rows(schemas[inner], schemas, f"{path}{name}{mark}.")


def _inside(member: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """The objects that a member holds: each one's name, and how its place is written."""
    if "$ref" in member:
        yield member["$ref"].rpartition("/")[2], ""
    for option in member.get("anyOf", ()):
        yield from _inside(option)
    if "items" in member:
        yield from ((name, f"[]{mark}") for name, mark in _inside(member["items"]))


def _type(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(option, schemas) for option in schema["anyOf"])
    if "items" in schema:
        return f"array of {_type(schema['items'], schemas)}"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _type(schemas[name], schemas) if "enum" in schemas[name] else name
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    return msgspec.json.encode(schema["const"]).decode() if "const" in schema else str(schema.get("type", "any"))


def _examples(schema: dict[str, Any]) -> str:
    return "".join(f"<pre>{escape(_pretty(example))}</pre>" for example in schema.get("examples", ()))


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _prose(text: str) -> str:
    """Text with code between backticks."""
    return "".join(f"<code>{escape(part)}</code>" if odd % 2 else escape(part) for odd, part in enumerate(text.split("`")))


def _table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{name}" for name in columns)
    return f"<table><tr>{head}</tr>" + "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) + "</tr>" for row in rows) + "</table>"
