"""What requests say of trigger campaigns, under the names that the original has for it, and what that is called where it is stored."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ConfigDict, Field

from ingest.endpoints.message_shape import Message
from ingest.endpoints.parameters import SHOWN, CampaignId, FormatJson, Parameters
from ingest.request_errors import Refused, invalid
from schemas import mailboxes
from schemas.channels import CHANNELS, MESSAGE

# What stands in the file that `profuse apply` reads, and its name here.
_NAMES = {
    "type": "trigger_type",
    "database": "list_id",
    "channel": "send_channel",
    "active": "is_active",
    "resource": "resource_id",
    "sender": "content[0].from_email",
} | {name: f"content[0].{name}" for name in MESSAGE if name != "sender"}
_CONTENT = "The message; it is given whole, and there is one."
_PLACE = re.compile(r"\.?(\w+)(\S*)")


class Content(Message):
    """The message; which of these it has to have, and which it may, its channel says."""

    model_config = ConfigDict(strict=True, frozen=True)

    text: str | None = Field(None, description="What it says; of an e-mail its plain part, which is made from the HTML if left out.")

    def declared(self) -> Iterator[tuple[str, str]]:
        if self.from_email is None and self.from_name is not None:
            raise invalid("content[0].from_email: required beside from_name")
        if self.from_email is not None:
            yield "sender", mailboxes.written(self.from_name or "", self.from_email)
        for name in MESSAGE:
            # One that has none is shown with an empty text.
            if value := getattr(self, name, None):
                yield name, value


class _Campaign(Parameters):
    """What either request may say."""

    is_active: bool | None = Field(None, description="Whether it can be started; a new one is, unless told otherwise.")
    skip_minutes: int | None = Field(None, description="Minutes that a launch waits which brings no `timeout`.")
    resource_id: int | None = Field(None, description="The resource whose subscriptions are sent to.")
    unconditional_sending: bool | None = Field(None, description="To the profile's own address, subscribed or not.")
    list_id: int | None = Field(None, description="The database's number; left out, the resource's, or the account's only one.")
    fields: list[str] | None = Field(None, description="Of an `update` trigger: it starts only when one of these changed.")
    provider: str | list[str] | None = Field(None, description="A name, or several in the order in which they are tried.")
    pace: int | None = Field(None, description="Launches a minute.")
    spread: int | None = Field(None, description="Minutes over which a batch's launches are spread.")
    inline_css: bool | None = Field(None, description="Write styles into the elements that they are for.")
    content: list[Content] | None = Field(None, min_length=1, max_length=1, description=_CONTENT)
    format: FormatJson = "json"

    def declared(self) -> dict[str, Any]:
        """What is given, as the file that `profuse apply` reads would say it; a message is given whole."""
        here = {name: _NAMES.get(name, name) for name in ("name", "type", "channel", "database", *_OTHERS)}
        given = {name: getattr(self, parameter, None) for name, parameter in here.items()}
        said = {name: value for name, value in given.items() if value is not None}
        if self.content is None:
            return said
        return said | dict.fromkeys(MESSAGE) | dict(self.content[0].declared())


_OTHERS = ("active", "skip_minutes", "resource", "unconditional_sending", "fields", "provider", "pace", "spread", "inline_css")


class AddTrigger(_Campaign):
    """Add a trigger campaign, under the next free number."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "token": SHOWN,
                    "name": "Welcome",
                    "trigger_type": "api_call",
                    "send_channel": "email",
                    "content": [{"subject": "Hello {lead._fname}", "from_email": "demo@example.com", "html": "<p>Hello.</p>"}],
                }
            ]
        }
    )

    name: str = Field(description="What it is called.")
    trigger_type: str = Field(description="`api_call`, `api_import` or `update`.")
    send_channel: str = Field(description=f"{', '.join(name for name, row in CHANNELS.items() if row.leaves)}.")
    content: list[Content] = Field(min_length=1, max_length=1, description=_CONTENT)


class UpdateTrigger(_Campaign):
    """Change a trigger campaign; what is not given stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": SHOWN, "id": 8, "is_active": False}]})

    id: CampaignId = Field(description="The campaign's number.")
    name: str | None = Field(None, description="What it is called.")
    trigger_type: str | None = Field(None, description="`api_call`, `api_import` or `update`.")
    send_channel: str | None = Field(None, description="The campaign's; it cannot be changed.")


def refused(place: str, reason: str) -> Refused:
    """Under the name that the request has for what the place names."""
    found = _PLACE.fullmatch(place)
    named, rest = (found[1], found[2]) if found else (place, "")
    return invalid(f"{_NAMES.get(named, named)}{rest}: {reason}")


def shown(campaign: Mapping[str, Any]) -> dict[str, Any]:
    """A stored campaign as it is answered."""
    row = CHANNELS[campaign["channel"]]
    message: dict[str, str] = {name: campaign[name] for name in (*row.needs, *row.may) if name != "sender"}
    if "sender" in row.needs:
        message["from_name"], message["from_email"] = mailboxes.parted(campaign["sender"])
    return {
        "id": campaign["number"],
        "name": campaign["name"],
        "is_active": campaign["active"],
        "trigger_type": campaign["type"],
        "list_id": campaign["database"],
        "resource_id": campaign["resource"],
        "send_channel": campaign["channel"],
        "skip_minutes": campaign["skip_minutes"],
        "unconditional_sending": campaign["unconditional_sending"],
        "fields": campaign["fields"],
        "provider": campaign["provider"],
        "pace": campaign["pace"],
        "spread": campaign["spread"],
        "content": [message],
    }
