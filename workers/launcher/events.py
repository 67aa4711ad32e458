"""Pure: what the world hears about a profile."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from schemas import ids
from schemas.events import ProfileEvent
from schemas.settings import Settings
from schemas.topics import EVENTS, LARGEST_RECORD, Outgoing
from workers.launcher.model import Campaign, Outcome


class Imported(NamedTuple):
    """An item that was imported: whose it is, and what its sender said about it."""

    account: int
    database: int
    batch: bytes
    item: int
    profile: bytes
    email: str | None
    custom_data: Mapping[str, Any]


def imports(
    account: int, database: int, batch: bytes, accepted_at: datetime
) -> Callable[[int, str, str | UnsetType, Mapping[str, Any]], ProfileEvent]:
    """Makes what is told of the imports of a batch, by item, profile, MD5 and custom_data: one for each profile that ever comes."""
    named, date = batch.hex(), accepted_at.isoformat()

    def event(item: int, profile: str, md5: str | UnsetType, custom_data: Mapping[str, Any]) -> ProfileEvent:
        return ProfileEvent(
            event_id=ids.event_id(f"{named}/{item}", "import_api"),
            event_type="import_api",
            event_date=date,
            profile_id=profile,
            md5=md5,
            list_id=database,
            account_id=account,
            custom_data=dict(custom_data),
            event_data={"batch_id": named, "item": item},
        )

    return event


class Told(NamedTuple):
    """A launch's id, and which run of it is told of: each that an operator lets it have is told anew."""

    launch: str
    run: int = 0

    @property
    def origin(self) -> str:
        return f"{self.launch}/{self.run}" if self.run else self.launch


def of_firing(imported: Imported, campaign: Campaign, told: Told, date: str) -> ProfileEvent:
    """That the launch fired; told with its first attempt."""
    return _event(imported, "launch", told.origin, _about(campaign, told.launch), date)


def of_ending(imported: Imported, campaign: Campaign, told: Told, outcome: Outcome, date: str) -> ProfileEvent:
    """How it ended."""
    reason = {} if outcome.reason is None else {"reason": outcome.reason}
    ended = _event(imported, outcome.ending, told.origin, _about(campaign, told.launch) | reason, date)
    return ended if outcome.subscription is None else msgspec.structs.replace(ended, subscription=dict(outcome.subscription))


def outgoing(topic: str, event: ProfileEvent, *, cloud: bool) -> Outgoing:
    """The event as a record; `cloud`: with the headers by which readers of CloudEvents 1.0 know it (binary mode), beside the same body."""
    headers = tuple((name, value.encode()) for name, value in _cloud(event)) if cloud else ()
    return Outgoing(topic, event.profile_id.encode(), _fitting(event), headers)


def _fitting(event: ProfileEvent) -> bytes:
    """The event without its subscription, which may be as large as a profile, where there is no room for it."""
    value = event.encode()
    # What the broker refuses would be sent again for ever, with all that is behind it.
    if len(value) <= LARGEST_RECORD or event.subscription is UNSET:
        return value
    return msgspec.structs.replace(event, subscription=UNSET).encode()


def outgoing_of(settings: Settings) -> Callable[[ProfileEvent], Outgoing]:
    """How events leave here."""
    return partial(outgoing, settings.topic(EVENTS.name), cloud=settings.cloud_events)


def _cloud(event: ProfileEvent) -> Iterator[tuple[str, str]]:
    yield "ce_specversion", "1.0"
    yield "ce_id", event.event_id
    yield "ce_source", f"/accounts/{event.account_id}/databases/{event.list_id}"
    yield "ce_type", f"profuse.{event.event_type}"
    yield "ce_time", event.event_date
    yield "ce_subject", event.profile_id
    yield "content-type", "application/json"


def _about(campaign: Campaign, launch: str) -> dict[str, Any]:
    return {"campaign_id": campaign.trigger, "launch_id": launch}


def md5(email: str | None) -> str | UnsetType:
    """Of a profile that has one."""
    return UNSET if email is None else ids.md5_of(email)


def _event(imported: Imported, event_type: str, origin: str, data: dict[str, Any], date: str) -> ProfileEvent:
    about: Any = {"batch_id": imported.batch.hex(), "item": imported.item} | data
    return ProfileEvent(
        event_id=ids.event_id(origin, event_type),
        event_type=event_type,
        event_date=date,
        profile_id=imported.profile.hex(),
        md5=md5(imported.email),
        list_id=imported.database,
        account_id=imported.account,
        custom_data=dict(imported.custom_data),
        event_data=about,
    )
