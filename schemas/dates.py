"""Days and moments: the spellings that are accepted, and the one that each is stored in."""

import re
from datetime import UTC, datetime, timedelta
from datetime import date as calendar

from schemas.item_errors import ItemFailed, Why

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# RFC 3339, but for the zone, which may be missing.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)
# Where the seconds of a moment stand.
_SECONDS = slice(17, 19)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# In seconds this is the year 2286, in milliseconds it was April 1970: nobody means either.
_MILLISECONDS_FROM = 10**10


def date(value: object) -> str:
    """A day as it is; a moment in UTC to the microsecond, so that equal moments have one spelling."""
    try:
        if isinstance(value, str):
            return calendar.fromisoformat(value).isoformat() if _DAY.fullmatch(value) else _shown(_moment(value))
        if type(value) is int:
            unit = "milliseconds" if abs(value) >= _MILLISECONDS_FROM else "seconds"
            return _shown(_EPOCH + timedelta(**{unit: value}))
    # A day that no calendar has, or a moment before the year 1 or after 9999.
    except (ValueError, OverflowError):
        pass
    raise ItemFailed(Why.INCORRECT_DATE)


def day(value: object) -> str:
    """The day as it is written: nobody was born a day earlier because of a zone."""
    if not isinstance(value, str):
        return date(value)[:10]
    # Its time has to be one, though in UTC that may be on a day which no calendar has.
    date(f"2000-01-01{value[10:]}")
    return date(value[:10])


def _moment(text: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise ValueError("not RFC 3339")
    leaps = text[_SECONDS] == "60"
    if leaps:
        text = f"{text[:17]}59{text[19:]}"
    # What is finer than a microsecond is cut off.
    moment = datetime.fromisoformat(text.upper())
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not leaps:
        return moment
    if (moment.hour, moment.minute) != (23, 59):
        raise ValueError("no leap second is there")
    return moment + timedelta(seconds=1)


def _shown(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
