"""What is sent and what comes back, as bytes; sockets are somebody else's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Exchange:
    """One POST; its body in pieces, because requests share their beginning, and that may hold files of 100 MiB."""

    path: str
    pieces: Sequence[bytes]
    request_id: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Content-Length": str(sum(map(len, self.pieces)))}
        return headers if self.request_id is None else headers | {"Request-ID": self.request_id}


@dataclass(frozen=True)
class Outcome:
    """What came of an exchange, and after how many seconds; without a status it was cut, and `why` says how."""

    seconds: float
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    why: str = ""
