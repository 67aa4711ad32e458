"""/docs: the OpenAPI document for a person, on one page that asks no other host."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import msgspec
from pydantic import BaseModel

from ingest.endpoints.openapi import Documented
from ingest.endpoints.profile_shapes import FunctionalUpdate, GivenProfile, GivenSubscription
from ingest.endpoints.response_models import StillProcessing
from ingest.http.server import PREFIX
from ingest.request_errors import ERRORS
from schemas.item_errors import Why

_STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3rem;text-align:left;vertical-align:top}
code{background:#f3f3f3;padding:0 .2rem}pre{background:#f3f3f3;padding:.5rem;overflow:auto}
td:first-child,td:nth-child(3){white-space:nowrap}td:last-child{min-width:16rem}nav{columns:24rem}h2{margin-top:3rem}"""
# What many endpoints take: told once, and linked to.
_TOLD_ONCE = (GivenProfile, GivenSubscription, FunctionalUpdate)
_NAMES = frozenset(model.__name__ for model in _TOLD_ONCE)

Schemas = dict[str, Any]


def page(endpoints: Sequence[Documented], document: dict[str, Any]) -> str:
    """All of it: the endpoints, what their requests are made of, and what goes wrong."""
    schemas = document["components"]["schemas"]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>Profuse API</title><style>{_STYLE}</style>"
        "<h1>Profuse API</h1><p>POST, JSON, UTF-8. Every answer has <code>error</code> and <code>error_text</code>. "
        "A repeat of what changes anything, with the same <code>Request-ID</code> header within 24 hours, is answered and not run. "
        "The machine-readable form is <a href=/openapi.json>openapi.json</a>.</p>"
        f"<nav>{''.join(f'<a href=#{each.path}>{escape(each.path.removeprefix(PREFIX))}</a><br>' for each in endpoints)}"
        f"{''.join(f'{_link(name)}<br>' for name in sorted(_NAMES))}<a href=#errors>Errors</a></nav>"
        f"{''.join(_section(documented, document, schemas) for documented in endpoints)}"
        f"{''.join(_told_once(model, schemas) for model in _TOLD_ONCE)}{_errors()}</html>"
    )


def _section(documented: Documented, document: dict[str, Any], schemas: Schemas) -> str:
    operation = document["paths"][documented.path]["post"]
    answers: list[tuple[str, type[BaseModel]]] = [("200", documented.answer)]
    if documented.waits:
        answers.append(("202", StillProcessing))
    shown = "".join(
        f"<p>{status}: {_prose(str(model.__doc__))}</p>{_example(operation['responses'][status])}{_members(model.__name__, schemas)}"
        for status, model in answers
    )
    return (
        f"<h2 id={documented.path}><code>POST {escape(documented.path)}</code></h2><p>{_prose(documented.summary)}</p>"
        f"{_example(operation['requestBody'])}{_members(documented.parameters.__name__, schemas)}<h3>Answer</h3>{shown}"
    )


def _told_once(model: type[BaseModel], schemas: Schemas) -> str:
    name = model.__name__
    examples = "".join(_pre(example) for example in schemas[name]["examples"])
    return f"<h2 id={name}>{name}</h2><p>{_prose(str(model.__doc__))}</p>{examples}{_members(name, schemas)}"


def _errors() -> str:
    requests = _table(
        ("error", "error_text", "meaning"),
        ((f"<code>{error}</code>", f"<code>{escape(text)}</code>", _prose(meaning)) for error, (text, meaning, _) in ERRORS.items()),
    )
    items = _table(
        ("error", "error_text", "meaning"),
        ((f"<code>{why.error}</code>", f"<code>{escape(why.text)}</code>", _prose(why.meaning)) for why in Why),
    )
    return f"<h2 id=errors>Errors of a request</h2>{requests}<h2>Errors of an item</h2>{items}"


def _members(model: str, schemas: Schemas) -> str:
    """The members of an object, and of those inside it, by their paths."""
    return _table(("name", "type", "default", "meaning"), _rows(schemas[model], schemas, ""))


def _rows(schema: dict[str, Any], schemas: Schemas, path: str) -> Iterable[tuple[str, ...]]:
    required, members = schema.get("required", []), schema.get("properties", {})
    for name, member in sorted(members.items(), key=lambda each: each[0] not in required):
        # Null is what is not given.
        preset = member.get("default")
        default = "required" if name in required else "" if preset is None else f"<code>{escape(_json(preset))}</code>"
        meaning = member.get("description") or schemas[member["$ref"].rpartition("/")[2]]["description"]
        yield (
            f"<code>{escape(path + name)}</code>",
            _type(member, schemas),
            default,
            _prose(meaning),
        )
        for inner, mark in _inside(member):
            if inner not in _NAMES:
                yield from _rows(schemas[inner], schemas, f"{path}{name}{mark}.")


def _inside(member: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """The objects that a member holds: each one's name, and how its place is written; what may stand alone or in an array, once."""
    found: dict[str, str] = {}
    if "$ref" in member:
        found[member["$ref"].rpartition("/")[2]] = ""
    for option in member.get("anyOf", ()):
        found |= dict(_inside(option))
    if "items" in member:
        found |= {name: f"[]{mark}" for name, mark in _inside(member["items"])}
    return found.items()


def _type(schema: dict[str, Any], schemas: Schemas) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(option, schemas) for option in schema["anyOf"])
    if "items" in schema:
        return f"array of {_type(schema['items'], schemas)}"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _type(schemas[name], schemas) if "enum" in schemas[name] else _link(name)
    if "enum" in schema:
        return escape(" or ".join(map(str, schema["enum"])))
    return escape(_json(schema["const"]) if "const" in schema else str(schema.get("type", "any")))


def _link(name: str) -> str:
    return f"<a href=#{name}>{name}</a>" if name in _NAMES else escape(name)


def _example(body: dict[str, Any]) -> str:
    return _pre(body["content"]["application/json"]["example"])


def _pre(value: Any) -> str:
    return f"<pre>{escape(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())}</pre>"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _prose(text: str) -> str:
    """Text with code between backticks."""
    return "".join(f"<code>{escape(part)}</code>" if odd % 2 else escape(part) for odd, part in enumerate(text.split("`")))


def _table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{name}" for name in columns)
    return f"<table><tr>{head}</tr>" + "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) + "</tr>" for row in rows) + "</table>"
