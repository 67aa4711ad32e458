"""What a request says, bounded, and without what could not be looked for."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from schemas.ids import parse_id

_BODY = 128 * 1024
_FIELDS = 50
_LARGEST = 2**31 - 1


class Refused(Exception):
    """With an HTTP status, and a sentence for a person."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def not_found(what: str) -> Refused:
    return Refused(404, f"There is no {what}. What is over is deleted after the time that PROFUSE_BATCH_KEPT says.")


def query(request: Request) -> Mapping[str, str]:
    return _fields(request.url.query)


async def form(request: Request) -> Mapping[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _BODY:
            raise Refused(413, "So much was never on a page of ours.")
    return _fields(body.decode("utf-8", "replace"))


def number(values: Mapping[str, str], name: str) -> int | None:
    """None where nothing is given."""
    written = values.get(name, "").strip()
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and len(written) <= 10 and int(written) <= _LARGEST):
        raise Refused(400, f"The {name} must be a number.")
    return int(written)


def id_of(values: Mapping[str, str], name: str, what: str) -> bytes:
    found = parse_id(values[name])
    if found is None:
        raise Refused(404, f"That is no id of a {what}, which is 24 hex digits.")
    return found


def _fields(written: str) -> Mapping[str, str]:
    try:
        found = dict(parse_qsl(written, keep_blank_values=True, max_num_fields=_FIELDS))
    except ValueError:
        raise Refused(400, "That are more values than any page asks for.") from None
    if any("\0" in name or "\0" in value for name, value in found.items()):
        raise Refused(400, "A NUL is in no text that we have.")
    return found
