"""A server that answers as it is told, beside a gateway that imports whom it is sent: for what a real one does on bad days only."""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
TOKEN = "abcdefghijklmnqrstuvwxyz"


@dataclass(frozen=True)
class Reply:
    """An answer; `None` in its place closes the connection."""

    status: int
    body: Json | str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Got:
    """A request, and when it came."""

    path: str
    request_id: str | None
    body: Json
    size: int
    at: float


# What is done with a request: the gateway's own answer may be asked for, or not.
Mood = Callable[[Got, Callable[[], Reply]], Reply | None]


def refuse(status: int, text: str, after: int | None = None, debug: str | None = None) -> Reply:
    body: Json = {"error": status, "error_text": text} | ({"error_debug": debug} if debug else {})
    return Reply(status, body, {} if after is None else {"Retry-After": str(after)})


class Gateway:
    """Imports each e-mail, and answers a repeated `Request-ID` from memory; `moods` are what it does with the next requests instead."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.imports: Counter[str] = Counter()
        self.moods: list[Mood] = []
        self.most_at_once = 0
        self._at_once = 0
        self._answered: dict[str, Reply] = {}
        self._lock = threading.Condition()
        self.url = ""

    def answer(self, got: Got, token: str | None) -> Reply | None:
        with self._lock:
            self.got.append(got)
            self._lock.notify_all()
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            mood = self.moods.pop(0) if self.moods else None
        try:
            if token != f"Bearer {TOKEN}":
                return refuse(401, "API token required")
            return mood(got, lambda: self._processed(got)) if mood else self._processed(got)
        finally:
            with self._lock:
                self._at_once -= 1

    def wait_for(self, requests: int) -> None:
        """Until so many have come in all."""
        with self._lock:
            assert self._lock.wait_for(lambda: len(self.got) >= requests, timeout=20)

    def _processed(self, got: Got) -> Reply:
        with self._lock:
            if got.request_id is not None and got.request_id in self._answered:
                first = self._answered[got.request_id]
                return Reply(first.status, first.body, {"Duplicate-Request": "true", "Duplicate-Key": got.request_id})
            result = [self._import(item.get("data", item)) for item in got.body["data"]]
            reply = Reply(200, {"error": 0, "error_text": "Successful operation", "result": result})
            if got.request_id is not None:
                self._answered[got.request_id] = reply
            return reply

    def _import(self, profile: Json) -> Json:
        email = profile.get("email", "")
        if "@" not in email:
            return {"error": 400, "error_text": "Incorrect email", "field": "email"}
        self.imports[email] += 1
        return {"profile_id": email.encode().hex()[:24]}


@contextmanager
def serving() -> Iterator[Gateway]:
    gateway = Gateway()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got(self.path, self.headers.get("Request-ID"), json.loads(body), len(body), time.monotonic())
            reply = gateway.answer(got, self.headers.get("Authorization"))
            if reply is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self._write(reply)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

        def _write(self, reply: Reply) -> None:
            body = (reply.body if isinstance(reply.body, str) else json.dumps(reply.body)).encode()
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that has gone, which some tests want."""

    server = Server(("127.0.0.1", 0), Handler)
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
