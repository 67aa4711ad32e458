"""What may be said of each thing that an account can have, in a file or in a request."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
)

from schemas.channels import CHANNELS, MESSAGE
from schemas.fields import Declaration
from schemas.system_fields import SPECIAL_FIELDS
from schemas.tokens import USUAL_RIGHTS, Right, hashed
from store.configuration import hooking, mailing, messaging, texts
from store.configuration.model import Values
from store.configuration.texts import Line, Name, Number, Text


def _leaving(channel: str) -> str:
    if channel not in (known := [name for name, row in CHANNELS.items() if row.leaves]):
        raise ValueError(f"must be one of {', '.join(known)}")
    return channel


def _own_field(name: str, info: ValidationInfo) -> str:
    if len(name) > NAME and name not in (_kept(info) or ()):
        raise ValueError(f"must have at most {NAME:,} characters")
    if name.startswith("_") or name in SPECIAL_FIELDS:
        raise ValueError("is a system field, which every database has")
    return name


def _kept(info: ValidationInfo) -> Any:
    """What is stored of this key, by the number or the name of what it is a key of."""
    return (info.context or {}).get(info.data.get("id", info.data.get("name")), {}).get(info.field_name)


def at_most(most: int, kept: Callable[[ValidationInfo], Any] = _kept) -> AfterValidator:
    """Characters, or entries; one that is stored may have more: it keeps nothing else of its file from its effect."""

    def checked(given: Any, info: ValidationInfo) -> Any:
        if given is not None and len(given) > most and given != kept(info):
            raise ValueError(f"must have at most {most:,} {'characters' if isinstance(given, str) else 'entries'}")
        return given

    return AfterValidator(checked)


def _if_new(check: Callable[[str], str]) -> AfterValidator:
    """One that is stored passed what was asked in its day: its campaign or hook can be stopped, whatever is asked of new ones."""

    def checked(given: str, info: ValidationInfo) -> str:
        return given if given == _kept(info) else check(given)

    return AfterValidator(checked)


def _html(given: str, info: ValidationInfo) -> str:
    """As it leaves: what is stored is compared with that."""
    if info.data.get("inline_css"):
        return messaging.inlined(given, stored=_kept(info))
    return given if given == _kept(info) else messaging.html_template(given)


# Of a message; of a header's line RFC 5322 allows no more (2.1.1), and programs follow no longer address.
_LINE, _LINK, _TEXT = 998, 2_048, messaging.LONGEST_TEXT
NAME = 255

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
"""Nothing is converted and nothing is ignored."""


class _Part(BaseModel):
    # What is said of a key stands in the reference, too.
    model_config = STRICT | ConfigDict(use_attribute_docstrings=True)


class Token(_Part):
    name: Name
    """By which the file knows it."""
    value: Annotated[str, AfterValidator(texts.token)] | None = None
    """Left out: made when the token is new, and shown once, else as it is."""
    rights: list[Literal["import", "launch", "read", "erase", "configure"]] = [right.value for right in USUAL_RIGHTS]
    """What it may do; `erase` and `configure` only where they are said."""
    expires: Annotated[AwareDatetime, BeforeValidator(texts.moment), AfterValidator(texts.storable)] | None = None
    """From when on it is refused, such as 2027-01-31T00:00:00Z."""
    revoked: bool = False
    """Refused from now on."""
    in_flight: Number | None = None
    """Most of its profiles that wait in a gateway; left out: as the settings say."""
    http_status: Literal["always_200"] | None = None
    """Left out: each answer has the HTTP status of its error."""

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
    """The account's own number."""
    name: Annotated[Line, at_most(NAME)]
    """For people."""
    unknown_fields: Literal["reject", "ignore", "keep"] = "reject"
    """What becomes of a field that is not declared."""
    fields: dict[Annotated[Line, AfterValidator(_own_field)], Declaration] = {}
    """The database's own: a type, or a declaration with `type`, `match` and `options`."""


class Resource(_Part):
    id: Number
    """The account's own number."""
    name: Annotated[Line, at_most(NAME)]
    """For people."""
    channel: Annotated[Line, at_most(NAME)]
    """One of those that have subscriptions, or one of the account's own."""
    database: Number
    """By its number."""


class Trigger(_Part):
    id: Number
    """The account's own number."""
    name: Annotated[Line, at_most(NAME)]
    """For people."""
    type: Literal["api_call", "api_import", "update"]
    """Started by a request, by each imported profile, or by each that an import changes."""
    database: Number
    """By its number."""
    channel: Annotated[str, AfterValidator(_leaving)]
    """By which it leaves."""
    active: bool = True
    """Started, and fired, at all."""
    resource: Number | None = None
    """Whose subscribers it goes to; left out: to each profile's own address."""
    unconditional_sending: bool = False
    """To a profile's own address, whatever is subscribed to."""
    skip_minutes: Annotated[int, Field(ge=0, le=365 * 24 * 60)] = 0
    """How long it waits where the request does not say."""
    # Which of these it has to have, and which it may, its channel says; nothing is the same as none.
    sender: Annotated[Line, at_most(_LINE), AfterValidator(mailing.sender)] | None = None
    """Of a mail: an address, or `Name <address>`."""
    subject: Annotated[Line, at_most(_LINE), _if_new(messaging.template)] | None = None
    """Of a mail: a template."""
    # Before the HTML, which is asked by it.
    inline_css: bool = False
    """Styles are written into the elements that they are for, as some readers of mail want them; what lies elsewhere is not fetched."""
    html: Annotated[Text, at_most(_TEXT), AfterValidator(_html), at_most(_TEXT)] | None = None
    """Of a mail: a template."""
    text: Annotated[Text, at_most(_TEXT), _if_new(messaging.template)] | None = None
    """Of a mail, a text or a push message: a template; of a mail left out, it is made of `html`, where that keeps its conditions."""
    title: Annotated[Line, at_most(_LINE), _if_new(messaging.template)] | None = None
    """Of a push message: a template."""
    link: Annotated[Line, at_most(_LINK), _if_new(messaging.link)] | None = None
    """Of a push message: a template."""
    body: Annotated[Text, at_most(_TEXT), _if_new(messaging.json_template)] | None = None
    """Of a webhook: JSON whose texts are templates."""
    provider: Annotated[list[Name] | None, BeforeValidator(texts.listed)] = Field(None, min_length=1, max_length=10)
    """A name, or several: then the next one is tried where nothing can have passed by those before it."""
    pace: Number | None = None
    """Launches a minute, at most."""
    spread: Annotated[int, Field(ge=1, le=31 * 24 * 60)] | None = None
    """Minutes over which a batch is spread."""
    fields: Annotated[list[str] | None, at_most(1_000)] = None
    """Of an `update`: a change of one of these starts it; left out: of any."""

    def values(self, before: Values | None = None) -> Values:
        """Its columns; a mail that is as it was `before` needs no text, where none could be made."""
        message = {name: getattr(self, name) or "" for name in MESSAGE}
        stays = before and all(message[name] == (before.get(name) or "") for name in ("html", "text"))
        # What is not said is what its readers without HTML see.
        if message["html"] and not message["text"] and not stays:
            message["text"] = messaging.plain(message["html"])
        return {**self.model_dump(exclude={"id", "inline_css", *MESSAGE}), **message}


class Provider(_Part):
    name: Name
    """By which triggers name it."""
    channel: Annotated[str, AfterValidator(_leaving)]
    """What it takes."""
    url: Annotated[Line, AfterValidator(messaging.url)]
    """Where it takes it."""
    secrets: Annotated[list[Annotated[str, AfterValidator(messaging.secret)]], Field(max_length=5)] = []
    """That its requests are signed by; during a rotation the new one first: both sign."""
    rate: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Messages a second, of all launchers together."""
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = 16
    """Messages under way, of each launcher."""
    timeout: Annotated[int, Field(ge=1, le=120)] = 15
    """Seconds that an answer is waited for."""
    active: bool = True
    """Sent to at all."""


class Hook(_Part):
    name: Name
    """By which commands name it."""
    url: Annotated[Line, AfterValidator(hooking.url)]
    """Where events are posted."""
    secrets: Annotated[list[Annotated[str, AfterValidator(messaging.secret)]], Field(min_length=1, max_length=5)]
    """That they are signed by; during a rotation the new one first: all of them sign."""
    events: Annotated[list[Annotated[str, AfterValidator(hooking.event_type)]], Field(min_length=1)] | None = None
    """Which types; left out: all."""
    batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Most events of a request."""
    timeout: Annotated[int, Field(ge=1, le=60)] = 10
    """Seconds that an answer is waited for."""
    success: Annotated[Text, _if_new(hooking.success)] = ""
    """A regular expression on the answer's body; empty: any 2xx."""
    active: bool = True
    """Posted to at all."""


def place(*steps: int | str) -> str:
    """`triggers[1].channel`; empty for the whole."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")


def reason_of(found: Mapping[str, Any]) -> str:
    """What is wrong, as pydantic found it, for people."""
    if found["type"] == "extra_forbidden":
        return "unknown key"
    return str(found["msg"]).removeprefix("Value error, ")
