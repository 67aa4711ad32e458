"""The parameters of requests that start a campaign: when, and what travels to the launches."""

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, model_validator

from ingest.http.attachments import MOST_FILES, DataUri, data_uri
from schemas.lines import is_unbroken
from schemas.mimetypes import MIMETYPE

LONGEST_TIMEOUT = timedelta(days=365)

# Paths, and what turns the direction of the text around it.
_NOT_IN_NAMES = frozenset("/\\\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Timeout(BaseModel):
    """How long after it was accepted the trigger starts."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    days: int = Field(0, ge=0, description="Days of 24 hours; with hours and minutes 365 days at most.")
    hours: int = Field(0, ge=0, description="Hours, beside the days.")
    minutes: int = Field(0, ge=0, description="Minutes, beside the hours.")

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
    if name in (".", "..") or not is_unbroken(name) or not _NOT_IN_NAMES.isdisjoint(name):
        raise ValueError("must be a name without a path and without control characters")
    return name


class Attachment(BaseModel):
    """A file for an e-mail; `data` is a data URI."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Annotated[
        str,
        Field(min_length=1, max_length=255, description="Of 1 to 255 characters, without a path."),
        AfterValidator(_file_name),
    ]
    data: Annotated[
        DataUri,
        PlainValidator(data_uri, json_schema_input_type=str),
        Field(description="A data URI in base64.", examples=["data:text/csv;base64,SEVMTE8K"]),
    ]
    mimetype: str | None = Field(None, pattern=rf"^{MIMETYPE}$", description="Left out: the one that the data URI names.")

    @property
    def type(self) -> str:
        return self.mimetype or self.data.mimetype or "application/octet-stream"


_Files = Annotated[list[Attachment], Field(max_length=MOST_FILES)]


def _as_it_is(given: object) -> object:
    """One file alone is an array of it by now."""
    return given


class Launching(BaseModel):
    """What goes along with each launch; of requests that name a campaign."""

    timeout: Annotated[Timeout | None, BeforeValidator(_without_nulls)] = Field(
        None, description="From the acceptance on; absent: the trigger's own `skip_minutes`."
    )
    custom_data: dict[str, Any] = Field({}, description="Travels to the launch and its events; an item's own keys go before these.")
    content: dict[str, Any] = Field({}, description="Values for {apicontent.name} in the message.")
    attach: Annotated[list[Attachment], BeforeValidator(_as_it_is, json_schema_input_type=Attachment | _Files)] = Field(
        [], description=f"Files for an e-mail: one, or an array of {MOST_FILES} at most."
    )
