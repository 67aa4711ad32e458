"""The parameters of requests that bring items: the one definition that checks them and that /docs shows."""

import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Raw
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from ingest.endpoints.parameters import SHOWN, MatchBy
from ingest.errors import invalid
from ingest.http.attachments import MIMETYPE, MOST_FILES, DataUri, data_uri
from schemas.batches import BatchKind, BatchSettings
from schemas.ids import TriggerNumber
from schemas.settings import Settings

LONGEST_TIMEOUT = timedelta(days=365)

# Control characters, line and paragraph separators; paths, and what turns the direction of the text around it.
_UNSEEN = frozenset(("Cc", "Zl", "Zp"))
_NOT_IN_NAMES = frozenset("/\\\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Timeout(BaseModel):
    """How long after it was accepted the trigger starts."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    days: int = Field(0, ge=0)
    hours: int = Field(0, ge=0)
    minutes: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _within_a_year(self) -> Self:
        if (self.days * 24 + self.hours) * 60 + self.minutes > LONGEST_TIMEOUT // timedelta(minutes=1):
            raise ValueError(f"more than {LONGEST_TIMEOUT.days} days")
        return self

    def duration(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes)


def _without_nulls(given: object) -> object:
    """Typed clients write null for what they did not set."""
    return {name: value for name, value in given.items() if value is not None} if isinstance(given, dict) else given


def _file_name(name: str) -> str:
    if name in (".", "..") or any(unicodedata.category(letter) in _UNSEEN or letter in _NOT_IN_NAMES for letter in name):
        raise ValueError("must be a name without a path and without control characters")
    return name


class Attachment(BaseModel):
    """A file for an e-mail; `data` is a data URI."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_file_name)]
    data: Annotated[DataUri, PlainValidator(data_uri, json_schema_input_type=str), Field(examples=["data:text/csv;base64,SEVMTE8K"])]
    mimetype: str | None = Field(None, pattern=rf"^{MIMETYPE}$")

    @property
    def type(self) -> str:
        return self.mimetype or self.data.mimetype or "application/octet-stream"


class Item(BaseModel):
    """One profile of a batch, and what it is matched by; another key fails it."""

    model_config = ConfigDict(extra="forbid")

    data: dict[str, Any] = Field(description="The profile: its fields, and its `subscriptions`.")
    email: str | None = None
    phone: str | None = None
    profile_id: str | None = None
    field_value: int | str | None = None
    custom_data: dict[str, Any] | None = Field(None, description="Its own keys go before the root's.")


def _items(given: object) -> Sequence[Raw]:
    if not isinstance(given, list) or not given:
        raise ValueError("must be an array of one item or more")
    return given


# As they are written in the body: each is decoded alone, so that one that is wrong fails itself.
Items = Annotated[Sequence[Raw], PlainValidator(_items, json_schema_input_type=Annotated[list[Item], Field(min_length=1)])]


class ImportAndStartBatch(MatchBy):
    """Add or update many profiles, then start one trigger campaign for each."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "token": SHOWN,
                    "trigger_id": 8,
                    "matching": "email",
                    "timeout": {"hours": 1},
                    "data": [
                        {"data": {"email": "ann@example.com", "_fname": "Ann"}},
                        {"data": {"email": "bob@example.com", "_fname": "Bob"}},
                    ],
                }
            ]
        }
    )

    trigger_id: TriggerNumber = Field(description="The trigger campaign to start; it must be active and of the type api_call.")
    data: Items = Field(description="Items: `data` is the profile; match keys and `custom_data` may stand beside it.")
    db_id: int | None = Field(None, description="The database's number; it must be the trigger's.")
    skip_triggers: bool = Field(False, description="Start no triggers that react to the import itself.")
    skip_invalid_subscriptions: bool = Field(False, description="Drop an invalid subscription instead of failing its item.")
    detect_geo: bool = Field(False, description="Fill the location from the item's `_ip` or `_regip`.")
    format: Literal["json"] = "json"
    timeout: Annotated[Timeout | None, BeforeValidator(_without_nulls)] = Field(None, description="Absent: the trigger's own.")
    custom_data: dict[str, Any] = Field({}, description="Travels to the launch and its events; an item's own keys go before these.")
    content: dict[str, Any] = Field({}, description="Values for {apicontent.name} in the message.")
    attach: list[Attachment] = Field([], max_length=MOST_FILES, description="Files for an e-mail: one, or an array of them.")

    def settings(self) -> BatchSettings:
        """What is stored of it for whoever imports the items."""
        return BatchSettings(
            BatchKind.IMPORT_AND_START,
            self.matching,
            self.own_field,
            self.skip_triggers,
            self.skip_invalid_subscriptions,
            self.detect_geo,
        )


def check_limits(request: ImportAndStartBatch, settings: Settings) -> None:
    for name, value, most in (
        ("content", request.content, settings.content_limit),
        ("custom_data", request.custom_data, settings.custom_data_limit),
    ):
        if len(msgspec.json.encode(value)) > most:
            raise invalid(f"{name}: more than {most} bytes")
