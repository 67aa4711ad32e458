"""Pure: what the file may say of an action hook; each raises `ValueError`."""

from schemas.events import EVENT_TYPES
from schemas.success import checked
from store.configuration import messaging


def url(given: str) -> str:
    """One that is posted to; not quoted, for it may hold a password."""
    if not messaging.fits(True, messaging.url(given)):
        raise ValueError("must be an address like https://crm.example.com/events")
    return given


def event_type(given: str) -> str:
    if given not in EVENT_TYPES:
        raise ValueError(f"must be one of {', '.join(EVENT_TYPES)}")
    return given


def success(given: str) -> str:
    return checked(given)
