"""Small worlds in order, of which each test spoils one thing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from profuse.torture.account import CALLED, CHANGED, IMPORTED, WELCOME
from profuse.torture.model import COUNTER, Item, Request
from profuse.torture.verdict.seen import Batch, Mail, Observed, Profile, Told
from schemas import ids
from schemas.ids import TriggerId

CAMPAIGNS = {WELCOME: TriggerId(101), IMPORTED: TriggerId(102), CHANGED: TriggerId(103), CALLED: TriggerId(104)}


def asked(*items: Item, name: str = "r", sent: float = 1.0, answered: float = 2.0) -> Request:
    """Answered 200 at that moment, in the words that `seen_as` stores."""
    return Request(name, items, items[0].key, sent=sent, taken=answered, applied=answered)


def batch(name: str, ended: Sequence[bytes | Mapping[str, object]], starts: Mapping[int, Sequence[int]]) -> Batch:
    """What each item ended as: its profile, or its error."""
    results = [(place, end) for place, end in enumerate(ended) if isinstance(end, bytes)]
    errors = [(place, end) for place, end in enumerate(ended) if not isinstance(end, bytes)]
    launches = {CAMPAIGNS[number]: Counter(places) for number, places in starts.items()}
    return Batch(ids12(name), results, errors, launches, dict.fromkeys(launches, 100.0))


def profile(*items: Item) -> Profile:
    """As these items leave it, one after the other."""
    data: dict[str, Any] = {}
    addresses: set[str] = set()
    for item in items:
        given = item.data()
        addresses |= {each["email"] for each in given.pop("subscriptions", ())}
        given[COUNTER] = data.get(COUNTER, 0) + given[COUNTER]["value"]
        data |= given
    data |= {"phones": [data["phones"]]} if "phones" in data else {}
    return Profile(data, frozenset(addresses))


def world(batches: Mapping[str, Batch], profiles: Mapping[bytes, Profile], requests: Sequence[Request]) -> Observed:
    """With all mails and events that its batches stand for."""
    mails: list[Mail] = []
    told: set[bytes] = set()
    for request in requests:
        found = batches[request.id]
        for place, _ in found.results:
            told.add(event(f"{found.id.hex()}/{place}", "import_api"))
            for campaign in [campaign for campaign, places in found.launches.items() if place in places]:
                launch, item, is_called = ids.launch_id(found.id, place, campaign), request.items[place], campaign == CAMPAIGNS[CALLED]
                told |= {event(launch, "launch"), event(launch, "send" if is_called else item.ending)}
                if item.ending == "send" and not is_called:
                    mails.append(Mail(launch, 101.0, item.inbox or "", f"Version {item.number}", "<p>Page </p>"))
    return Observed(batches, 0, profiles, [], mails, Told(frozenset(told)), [], CAMPAIGNS)


def event(origin: str, event_type: str) -> bytes:
    return bytes.fromhex(ids.event_id(origin, event_type))


def ids12(name: str) -> bytes:
    return name.encode().ljust(12, b"_")
