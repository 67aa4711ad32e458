"""/openapi.json: the API as an OpenAPI document, made from the models that check requests and answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from ingest.endpoints.response_models import Failure, StillProcessing
from ingest.envelope import TO_BE_REPEATED
from ingest.request_errors import ERRORS

_REF = "#/components/schemas/{model}"


@dataclass(frozen=True)
class Documented:
    """An endpoint's path, its parameters, its answer, whether it may answer 202, and whether it only reads."""

    path: str
    parameters: type[BaseModel]
    answer: type[BaseModel]
    waits: bool
    reads: bool = False

    @property
    def summary(self) -> str:
        return str(self.parameters.__doc__)


def openapi(endpoints: Sequence[Documented]) -> dict[str, Any]:
    """The API as an OpenAPI 3.1 document."""
    schemas = _schemas(endpoints)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Profuse", "version": "1.1", "description": "Import profiles in bulk and start a trigger for each."},
        "paths": {documented.path: {"post": _operation(documented, schemas)} for documented in endpoints},
        "components": {"schemas": schemas, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


def _schemas(endpoints: Sequence[Documented]) -> dict[str, Any]:
    asked: set[type[BaseModel]] = {documented.parameters for documented in endpoints}
    told: set[type[BaseModel]] = {StillProcessing, Failure, *(documented.answer for documented in endpoints)}
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((each, "validation") for each in asked),
        *((each, "serialization") for each in told),
    ]
    _, found = models_json_schema(sorted(models, key=lambda each: each[0].__name__), ref_template=_REF)
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _operation(documented: Documented, schemas: Mapping[str, Any]) -> dict[str, Any]:
    answers = {"200": documented.answer} | ({"202": StillProcessing} if documented.waits else {})
    return {
        "operationId": documented.path.strip("/").replace("/", "_").replace(".", "_"),
        "summary": documented.summary,
        # The token may stand in the body instead.
        "security": [{"bearer": []}, {}],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "description": "A repeat within 24 h is answered, not run.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
                "example": "import-2026-01-31-0001",
            }
            for name in (() if documented.reads else ("Request-ID", "Idempotency-Key"))
        ],
        "requestBody": {"required": True, "content": _json(documented.parameters, _example(documented.parameters, schemas))},
        "responses": {status: _answer(model, schemas) for status, model in answers.items()}
        | {str(status): _failure(status) for status in ERRORS},
    }


def _answer(model: type[BaseModel], schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": str(model.__doc__), "content": _json(model, _example(model, schemas))}


def _failure(status: int) -> dict[str, Any]:
    text, meaning, debug = ERRORS[status]
    shown = {"error": status, "error_text": text} | ({"error_debug": debug} if debug else {})
    described = {"description": f"{text}: {meaning}", "content": _json(Failure, shown)}
    if status not in TO_BE_REPEATED:
        return described
    return described | {"headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}, "example": 1}}}


def _example(model: type[BaseModel], schemas: Mapping[str, Any]) -> Any:
    return schemas[model.__name__]["examples"][0]


def _json(model: type[BaseModel], example: Any) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}, "example": example}}
