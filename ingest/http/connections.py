"""A client's connection to the gateway, refused in the words of the API."""

from collections.abc import Mapping
from http import HTTPStatus

from ingest.http.turned_away import TurnedAway
from ingest.request_errors import Refused, head_too_large, invalid, method_not_allowed, unavailable
from runtime.connections import Connection
from schemas.settings import Settings

_REFUSED: Mapping[HTTPStatus, Refused] = {
    HTTPStatus.BAD_REQUEST: invalid("no HTTP/1.1"),
    HTTPStatus.METHOD_NOT_ALLOWED: method_not_allowed(),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: head_too_large(),
    HTTPStatus.SERVICE_UNAVAILABLE: unavailable(),
}


class GatewayConnection(Connection):
    """One that is never ended for another one's sake."""

    turned_away: TurnedAway
    # Each by its own measure: `bodies`.
    bounds_bodies = False
    # Longer than a busy client pauses between two requests.
    lingers = 1.0

    def makes_room(self) -> bool:
        self.turned_away.one(self.loop.time())
        return False

    def refusal(self, status: HTTPStatus) -> bytes:
        answer = _REFUSED[status].answer()
        body = answer.body()
        headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close", **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} {answer.fields['error_text']}", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body


def bounded(settings: Settings) -> type[Connection]:
    class Bounded(GatewayConnection):
        most = settings.connections_limit
        turned_away = TurnedAway(settings.connections_limit)
        patience = settings.client_patience.total_seconds()

    return Bounded
