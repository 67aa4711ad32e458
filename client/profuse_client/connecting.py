"""What both clients are made with, and how they reach the server."""

import logging
import re
import uuid
from dataclasses import dataclass, field
from math import inf
from numbers import Real
from typing import TypedDict

import httpx2

from profuse_client.answers import Again
from profuse_client.calls import Call
from profuse_client.cutting import Limits, check_count
from profuse_client.errand import Errand
from profuse_client.plan import Plan

log = logging.getLogger("profuse_client")

# Room for the part's number behind it in a Request-ID.
_RUN_ID = re.compile(r"[!-~]{1,100}")
_TOKEN = re.compile(r"[!-~]+")
_CONNECT_WITHIN = 10.0


@dataclass(frozen=True)
class Options:
    """How a client treats the server; the defaults are good for most. Raises `ValueError` for numbers out of range."""

    parallel: int = 4
    """Most requests at a time; the server may allow fewer."""

    patience: float = 600.0
    """Seconds of trying in which nothing moves, after which a run is given up; 0: as soon as anything is to be sent again."""

    answered_within: float = 90.0
    """Seconds after which a request is taken for lost and sent again; a server answers within 30, unless it is set otherwise."""

    limits: Limits = field(default_factory=Limits)

    verify: bool | str = True
    """The authorities that the server is trusted by, as a PEM file; `False` trusts anybody."""

    def __post_init__(self) -> None:
        check_count("parallel", self.parallel)
        # The other way round, not-a-number would pass.
        if not (isinstance(self.patience, Real) and self.patience >= 0):
            raise ValueError("patience: must be a number of seconds from 0")
        if not (isinstance(self.answered_within, Real) and 0 < self.answered_within < inf):
            raise ValueError("answered_within: must be a number of seconds above 0")


class Http(TypedDict):
    """What httpx2's clients, with a loop and without, are made with."""

    base_url: str
    headers: dict[str, str]
    timeout: httpx2.Timeout
    limits: httpx2.Limits
    verify: bool | str


def http(url: str, token: str, options: Options) -> Http:
    """Raises `ValueError` for an address that is none, and for a token that no header can carry."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("the token is empty, or holds what no token has, such as a space or the end of a line")
    return {
        "base_url": _base_url(url),
        "headers": {"Authorization": f"Bearer {token}", "User-Agent": "profuse-client"},
        "timeout": httpx2.Timeout(options.answered_within, connect=_CONNECT_WITHIN, pool=None),
        "limits": httpx2.Limits(max_connections=None, max_keepalive_connections=options.parallel + 1),
        "verify": options.verify,
    }


def _base_url(given: str) -> str:
    """The server's address without the API's path, with which it may have been copied."""
    if not re.match(r"https?://[^/]", given):
        raise ValueError(f"{given!r} is no address: it begins with http:// or https://")
    try:
        httpx2.URL(given)
    except httpx2.InvalidURL as error:
        raise ValueError(f"{given!r} is no address: {error}") from None
    return re.sub(r"(/api/v1\.1)?/*$", "", given)


def plan(call: Call, run_id: str | None, options: Options) -> Plan:
    """Raises `ValueError` for what could never be sent."""
    if run_id is not None and not _RUN_ID.fullmatch(run_id):
        raise ValueError("run_id: must be 1 to 100 visible ASCII characters")
    return Plan(call, run_id or uuid.uuid4().hex, options.limits, options.parallel, options.patience)


def errand(path: str, parameters: dict[str, object], options: Options) -> Errand:
    return Errand(path, parameters, options.patience, uuid.uuid4().hex)


def told(again: Again | None) -> None:
    if again is not None:
        log.info("sent again later: %s", again.why)
