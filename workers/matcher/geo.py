"""Where an IP address is, by MMDB files."""

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import maxminddb
import structlog

from workers.matcher.change import Locate, Location

log = structlog.get_logger()


@contextmanager
def open_geo(paths: Sequence[Path]) -> Iterator[Locate]:
    """Files for IPv4, for IPv6 or for both; the first one that knows an address counts."""
    with ExitStack() as stack:
        readers = [stack.enter_context(maxminddb.open_database(path)) for path in paths]
        yield _located(readers) if readers else _nowhere()


def _located(readers: Sequence[maxminddb.Reader]) -> Locate:
    v4 = readers
    # A file for IPv4 alone refuses to be asked for IPv6.
    v6 = [reader for reader in readers if reader.metadata().ip_version == 6]

    def locate(address: str) -> Location:
        for reader in v6 if ipaddress.ip_address(address).version == 6 else v4:
            record = reader.get(address)
            if isinstance(record, dict):
                return location(record)
        return {}

    return locate


def _nowhere() -> Locate:
    warned = False

    def locate(address: str) -> Location:
        nonlocal warned
        if not warned:
            log.warning("geo_files_missing", setting="PROFUSE_GEO")
            warned = True
        return {}

    return locate


def location(record: dict[str, Any]) -> Location:
    """A record in DB-IP's flat shape or in MaxMind's nested one; what is empty is left out."""
    region = _at(record, "subdivisions", 0, "names", "en") or _at(record, "state1")
    found = {
        "country": _at(record, "country", "iso_code") or _at(record, "country_code"),
        "region": region,
        "city": _at(record, "city", "names", "en") or _at(record, "city"),
        "postal_code": _at(record, "postal", "code") or _at(record, "postcode"),
        "tz": _at(record, "location", "time_zone") or _at(record, "timezone"),
    }
    return {name: value for name, value in found.items() if value}


def _at(record: Any, *path: str | int) -> str:
    """The text at a path into a record, or nothing."""
    for step in path:
        try:
            record = record[step]
        except (KeyError, IndexError, TypeError):
            return ""
    return record if isinstance(record, str) else ""
