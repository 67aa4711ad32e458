"""What may be said of each thing that an account can have, in a file or in a request."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from schemas.channels import CHANNELS, MESSAGE
from schemas.fields import Declaration
from schemas.tokens import USUAL_RIGHTS, Right, hashed
from store.configuration import hooking, mailing, messaging, texts
from store.configuration.model import Values
from store.configuration.texts import Line, Name, Number, Text

_SPECIAL_FIELDS = ("email", "phones", "subscriptions")


def _leaving(channel: str) -> str:
    if channel not in (known := [name for name, row in CHANNELS.items() if row.leaves]):
        raise ValueError(f"must be one of {', '.join(known)}")
    return channel


def _own_field(name: str) -> str:
    if name.startswith("_") or name in _SPECIAL_FIELDS:
        raise ValueError("is a system field, which every database has")
    return name


STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
"""Nothing is converted and nothing is ignored."""


class _Part(BaseModel):
    model_config = STRICT


class Token(_Part):
    name: Name
    # Left out: made when the token is new, else as it is.
    value: Annotated[str, AfterValidator(texts.token)] | None = None
    rights: list[Literal["import", "launch", "read", "erase", "configure"]] = [right.value for right in USUAL_RIGHTS]
    expires: Annotated[AwareDatetime, BeforeValidator(texts.moment), AfterValidator(texts.storable)] | None = None
    revoked: bool = False
    # Most of its profiles that wait in a gateway; left out: as the settings say.
    in_flight: Number | None = None
    # Left out: each answer has the HTTP status of its error.
    http_status: Literal["always_200"] | None = None

    def values(self) -> Values:
        """Its columns."""
        values: Values = {
            "rights": [right.value for right in Right if right in self.rights],
            "expires_at": self.expires,
            "revoked": self.revoked,
            "in_flight": self.in_flight,
            "http_status": self.http_status,
        }
        return values if self.value is None else {**values, "hash": hashed(self.value)}


class Database(_Part):
    id: Number
    name: Line
    unknown_fields: Literal["reject", "ignore", "keep"] = "reject"
    fields: dict[Annotated[Line, AfterValidator(_own_field)], Declaration] = {}


class Resource(_Part):
    id: Number
    name: Line
    # One of those that have subscriptions, or one of the account's own.
    channel: Line
    database: Number


class Trigger(_Part):
    id: Number
    name: Line
    type: Literal["api_call", "api_import", "update"]
    database: Number
    channel: Annotated[str, AfterValidator(_leaving)]
    active: bool = True
    resource: Number | None = None
    unconditional_sending: bool = False
    skip_minutes: Annotated[int, Field(ge=0, le=365 * 24 * 60)] = 0
    # Which of these it has to have, and which it may, its channel says; nothing is the same as none.
    sender: Annotated[Line, AfterValidator(mailing.sender)] | None = None
    subject: Annotated[Line, AfterValidator(messaging.template)] | None = None
    html: Annotated[Text, AfterValidator(messaging.template)] | None = None
    text: Annotated[Text, AfterValidator(messaging.template)] | None = None
    title: Annotated[Line, AfterValidator(messaging.template)] | None = None
    link: Annotated[Line, AfterValidator(messaging.template)] | None = None
    body: Annotated[Text, AfterValidator(messaging.json_template)] | None = None
    # Styles are written into the elements that they are for, as some readers of mail want them.
    inline_css: bool = False
    # A name, or several: then the next one is tried where nothing can have passed by those before it.
    provider: Annotated[list[Line] | None, BeforeValidator(texts.listed)] = Field(None, min_length=1, max_length=10)
    # Launches a minute.
    pace: Number | None = None
    # Minutes.
    spread: Annotated[int, Field(ge=1, le=31 * 24 * 60)] | None = None
    fields: list[str] | None = None

    @model_validator(mode="after")
    def _can_be_inlined(self) -> Self:
        if self.inline_css:
            messaging.inlined(self.html or "")
        return self

    def values(self) -> Values:
        """Its columns."""
        message = {name: getattr(self, name) or "" for name in MESSAGE}
        if self.inline_css:
            message["html"] = messaging.inlined(message["html"])
        # What is not said is what its readers without HTML see.
        message["text"] = message["text"] or (messaging.plain(message["html"]) if message["html"] else "")
        return {**self.model_dump(exclude={"id", "inline_css", *MESSAGE}), **message}


class Provider(_Part):
    name: Name
    channel: Annotated[str, AfterValidator(_leaving)]
    url: Annotated[Line, AfterValidator(messaging.url)]
    # During a rotation the new one first: both sign.
    secrets: Annotated[list[Annotated[str, AfterValidator(messaging.secret)]], Field(max_length=5)] = []
    # Messages a second, of all launchers together.
    rate: Annotated[int, Field(ge=1, le=100_000)] | None = None
    # Messages under way, of each launcher.
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = 16
    # Seconds.
    timeout: Annotated[int, Field(ge=1, le=120)] = 15
    active: bool = True


class Hook(_Part):
    name: Name
    url: Annotated[Line, AfterValidator(hooking.url)]
    # During a rotation the new one first: all of them sign.
    secrets: Annotated[list[Annotated[str, AfterValidator(messaging.secret)]], Field(min_length=1, max_length=5)]
    # Left out: all.
    events: Annotated[list[Annotated[str, AfterValidator(hooking.event_type)]], Field(min_length=1)] | None = None
    batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    # Seconds that an answer is waited for.
    timeout: Annotated[int, Field(ge=1, le=60)] = 10
    # A regular expression on the answer's body; empty: any 2xx.
    success: Annotated[Text, AfterValidator(hooking.success)] = ""
    active: bool = True


def place(*steps: int | str) -> str:
    """`triggers[1].channel`; empty for the whole."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def reason_of(found: Mapping[str, Any]) -> str:
    """What is wrong, as pydantic found it, for people."""
    if found["type"] == "extra_forbidden":
        return "unknown key"
    return str(found["msg"]).removeprefix("Value error, ")
