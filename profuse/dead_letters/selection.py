"""Pure: which dead letters an operator means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runtime.errors import CannotRun
from schemas.ids import parse_id
from schemas.settings import Settings
from schemas.topics import ALL

LIST = "`profuse dead-letters list` shows those that there are."

_ID = re.compile(r"([a-z-]+)/([0-9]{1,9})/([0-9]{1,18})")
_AGE = re.compile(r"([0-9]{1,6})([smhd])")
# No letter is, and there are ages before any date.
_OLDEST = timedelta(days=36_500)
_TOPICS = [topic.name for topic in ALL if topic.kept_until_processed]
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, order=True)
class Key:
    """Where a message stood."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Wanted:
    """Which dead letters; without keys and conditions all of them."""

    keys: Sequence[Key] = ()
    topic: str | None = None
    batch: bytes | None = None
    # A part of it is enough.
    reason: str | None = None
    # All of it, whatever characters it has.
    exact_reason: str | None = None
    older: timedelta | None = None
    newer: timedelta | None = None
    unreplayed: bool = False
    since: datetime | None = None
    until: datetime | None = None

    def as_of(self, now: datetime) -> "Wanted":
        """By moments alone: who asks, or walks through them, means no others that come of age, or die again, meanwhile."""
        since = [each for each in (self.since, self.newer and now - self.newer) if each]
        until = [each for each in (self.until, self.older and now - self.older) if each]
        return replace(self, older=None, newer=None, since=max(since, default=None), until=min(until, default=now))


def wanted(
    settings: Settings,
    ids: Sequence[str],
    batch: str | None,
    reason: str | None,
    topic: str | None,
    older: str | None,
    newer: str | None,
    *,
    exact_reason: str | None = None,
    until: datetime | None = None,
    everything: bool = True,
) -> Wanted:
    """What the options say; raises `CannotRun` where they say nothing, unless that may mean everything."""
    if not everything and exact_reason is None and not any((ids, batch, reason, topic, older, newer, until)):
        raise CannotRun("Which of them? Name their ids, give a filter, or say --all.")
    return Wanted(
        keys=[key(settings, each) for each in ids],
        topic=None if topic is None else _topic(settings, topic),
        batch=None if batch is None else _batch(batch),
        reason=None if reason is None else _reason(reason),
        exact_reason=exact_reason,
        older=None if older is None else _age(older),
        newer=None if newer is None else _age(newer),
        until=until,
    )


def key(settings: Settings, shown: str) -> Key:
    found = _ID.fullmatch(shown)
    if found is None:
        raise CannotRun(f"{shown} is no id of a dead letter, which is topic/partition/offset: {LIST}")
    return Key(settings.topic(found[1]), int(found[2]), int(found[3]))


def shown_key(settings: Settings, key: Key) -> str:
    return f"{key.topic.removeprefix(settings.topic(''))}/{key.partition}/{key.offset}"


def _topic(settings: Settings, shown: str) -> str:
    if shown not in _TOPICS:
        raise CannotRun(f"No dead letters come from the topic {shown or '(nothing)'}: say {' or '.join(_TOPICS)}.")
    return settings.topic(shown)


def _reason(shown: str) -> str:
    # A variable of a script that is empty must not choose everything.
    if not shown:
        raise CannotRun(f"An empty reason says nothing: {LIST}")
    return shown


def _batch(shown: str) -> bytes:
    found = parse_id(shown)
    if found is None:
        raise CannotRun(f"{shown} is no batch id, which is 24 hex digits: it is the `task_id` of the answer.")
    return found


def _age(shown: str) -> timedelta:
    found = _AGE.fullmatch(shown)
    if found is None:
        raise CannotRun(f"{shown} is no age: say 90s, 30m, 12h or 7d.")
    age = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if age > _OLDEST:
        raise CannotRun(f"{shown} is longer ago than any letter: say {_OLDEST.days}d at most.")
    return age
