"""From a body to the spans of its members: what can be said of it before anything is built."""

from collections.abc import Generator

from msgspec import Raw

from ingest.admission.budget import Share
from ingest.http import bodies, parsing, scanning
from ingest.http.interleaving import in_turns
from ingest.http.parsing import Members
from ingest.http.scanning import Body, NotJson, Scan
from ingest.request_errors import invalid
from schemas.settings import Settings


async def opened(body: Body, names: tuple[str, ...], settings: Settings, share: Share) -> Members:
    """The root's members; raises `NotJson`. Others get their turn in between."""
    # Beside `attach` there is no room for as many values, and a hundred files need few.
    if body.count(b",") > settings.body_limit:
        raise bodies.too_large()
    try:
        root = _members(body, names, settings)
    except NotJson as refused:
        await share.grow(2 * len(body))
        body = await in_turns(_repaired(body, refused), share)
        root = _members(body, names, settings)
    await in_turns(_scan(body), share)
    return root


async def items(root: Members, settings: Settings, share: Share, *, one: bool) -> list[Raw] | None:
    """The elements of `data`, or the only one that it is; None if it is no array, or no object; refused if they are too many."""
    if "data" not in root.values or not (parsing.is_object if one else parsing.is_array)(root.values["data"]):
        return None
    # Of a body with files only this is needed for longer.
    data = root.values["data"].copy() if "attach" in root.values else root.values["data"]
    if one:
        return [data]
    found = await in_turns(parsing.elements(data, settings.profiles_limit), share)
    if found is None:
        raise invalid(f"data: more than {settings.profiles_limit} items")
    return found


def _members(body: Body, names: tuple[str, ...], settings: Settings) -> Members:
    # First, for what is told of an unknown name takes up eight times its length.
    if len(body) > settings.body_limit:
        attach = parsing.known_members(body, names).get("attach")
        attached = 0 if attach is None else parsing.size(attach)
        if len(body) - attached > settings.body_limit:
            raise bodies.too_large()
    return parsing.members(body, names)


def _scan(body: Body) -> Generator[None, None, None]:
    scan = Scan()
    for part in scanning.slices(body):
        scan.take(part)
        yield


def _repaired(body: Body, refused: NotJson) -> Generator[None, None, Body]:
    repaired, changed = bytearray(), False
    for part in scanning.slices(body):
        mended = scanning.lone_surrogates_as_nul(part)
        changed = changed or mended != part
        repaired += mended
        yield
    if not changed:
        raise refused
    return repaired
