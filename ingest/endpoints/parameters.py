"""The root parameters of every request: the one definition that checks them and that /docs shows."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, Literal, Self, TypeVar

import msgspec
from msgspec import Raw
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from ingest.answers import Refused, invalid
from ingest.http.attachments import MIMETYPE, MOST_FILES, DataUri, data_uri
from schemas.batches import BatchKind, BatchSettings
from schemas.failures import Why
from schemas.fields import Field as DataField
from schemas.ids import SIZE, ResourceNumber, TriggerNumber
from schemas.matching import Matching
from schemas.modes import MODES, Own
from schemas.settings import Settings
from schemas.texts import is_blank

LONGEST_TIMEOUT = timedelta(days=365)

# In examples.
_SHOWN = "abcdefghijklmnqrstuvwxyz"

# Control characters, line and paragraph separators; paths, and what turns the direction of the text around it.
_UNSEEN = frozenset(("Cc", "Zl", "Zp"))
_NOT_IN_NAMES = frozenset("/\\\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

R = TypeVar("R", bound="Parameters")


class Parameters(BaseModel):
    """Nothing is converted and nothing is ignored: a typo is never silently lost."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    token: str | None = Field(None, description="API token, unless it is given as `Authorization: Bearer`.")


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


class MatchBy(Parameters):
    """How a profile is searched for; in a batch, an item's own value goes before the one here."""

    matching: Annotated[Matching, Field(strict=False)] = Matching.EMAIL
    email: str | None = None
    phone: str | None = None
    profile_id: str | None = Field(None, description=f"{2 * SIZE} hex digits.")
    field_name: str | None = Field(None, description="A field of the database that is declared as matchable; only with `custom`.")
    field_value: int | str | None = None
    resource_id: ResourceNumber | None = Field(None, description="Narrows an e-mail's or phone's subscriptions to one resource.")

    @model_validator(mode="after")
    def _searchable(self) -> Self:
        if self.matching is Matching.CUSTOM and not self.field_name:
            raise ValueError("field_name: required with matching custom")
        return self

    @property
    def match_value(self) -> int | str | None:
        """The root's own match value; a blank one counts as absent."""
        value: int | str | None = getattr(self, MODES[self.matching].key)
        return None if is_blank(value) else value


class Item(BaseModel):
    """One profile of a batch, and what it is matched by; another key fails it."""

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
Items = Annotated[Sequence[Raw], PlainValidator(_items, json_schema_input_type=list[Item])]


class ImportAndStartBatch(MatchBy):
    """Add or update many profiles, then start one trigger campaign for each."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "token": _SHOWN,
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
            self.field_name if self.matching is Matching.CUSTOM else None,
            self.skip_triggers,
            self.skip_invalid_subscriptions,
            self.detect_geo,
        )


class GetProfile(MatchBy):
    """Read one profile with its subscriptions."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": _SHOWN, "db_id": 1, "matching": "email", "email": "ann@example.com"}]}
    )

    db_id: int = Field(description="The database's number.")


class DeleteProfile(GetProfile):
    """Erase one profile for good: its fields, subscriptions, and what its items brought; answers keep its bare id."""


class GetTaskStatus(Parameters):
    """Progress and result of a batch."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": _SHOWN, "task_id": "019f3c1b2a4d5e6f70819205"}]})

    task_id: str
    # Named `from` in the request.
    start: int = Field(0, ge=0, alias="from", description="The first item to show.")
    limit: int = Field(10_000, ge=0, description="How many items to show.")


@cache
def names(model: type[Parameters]) -> tuple[str, ...]:
    """What the parameters are called in a request."""
    return tuple(field.alias or name for name, field in model.model_fields.items())


def checked(model: type[R], given: Mapping[str, Any]) -> R:
    """The parameters, or a refusal that names the first that is wrong and says why."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))[:100]
        raise invalid(f"{where}: {_reason(first['type'], first['msg'])}".removeprefix(": ")) from None


def searched_field(request: MatchBy, fields: Mapping[str, DataField]) -> Own | None:
    """The declared field that `custom` searches; refused if there is none."""
    if request.matching is not Matching.CUSTOM:
        return None
    name = str(request.field_name)
    field = fields.get(name)
    if field is None or not field.match:
        raise invalid("field_name: no field of the database that is declared as matchable")
    if field.indexing:
        raise Refused(409, Why.FIELD_IS_BEING_INDEXED.text, "field_name: profiles that were there before are still being filed by it")
    return Own(name, field)


def check_limits(request: ImportAndStartBatch, settings: Settings) -> None:
    for name, value, most in (
        ("content", request.content, settings.content_limit),
        ("custom_data", request.custom_data, settings.custom_data_limit),
    ):
        if len(msgspec.json.encode(value)) > most:
            raise invalid(f"{name}: more than {most} bytes")


def _reason(kind: str, message: str) -> str:
    said = {
        "extra_forbidden": "unknown parameter",
        "missing": "required",
        "model_type": "must be an object",
        "too_short": "must not be empty",
    }
    return said.get(kind) or message.removeprefix("Value error, ")
