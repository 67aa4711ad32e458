"""What endpoints answer about an account's databases, fields and trigger campaigns."""

from pydantic import Field

from ingest.endpoints.message_shape import Message
from ingest.endpoints.response_models import Count, Shape, Success, example


class Database(Shape):
    """A database of the account."""

    id: int = Field(description="Its number, which requests name as `db_id`.")
    name: str = Field(description="What it is called.")


class DatabasesListed(Success):
    """A part of the list; `total_count` counts all from `from_id` on."""

    model_config = example(data=[{"id": 1, "name": "Customers"}], total_count=1)

    data: list[Database] = Field(description="In the order of their numbers.")
    total_count: Count = Field(description="All from `from_id` on.")


class DataField(Shape):
    """A field that profiles may have."""

    name: str = Field(description="By which items name it.")
    type: str = Field(description="What its values are: int, float, string, boolean, date, enum, ip, tags, object or arr_object.")
    system: bool = Field(description="Whether every database has it.")
    match: bool = Field(description="Whether `custom` matching searches by it.")
    options: list[str] | None = Field(None, description="Of an enum, in the order of their ordinals.")


class FieldsListed(Success):
    """The fields that every database has, then the database's own."""

    model_config = example(
        data=[
            {"name": "_fname", "type": "string", "system": True, "match": False},
            {"name": "plan", "type": "enum", "system": False, "match": False, "options": ["free", "pro"]},
        ],
        total_count=2,
    )

    data: list[DataField] = Field(description="All of them.")
    total_count: Count = Field(description="How many there are.")


class ListedTrigger(Shape):
    """A trigger campaign, in short."""

    id: int = Field(description="Its number, which requests name as `trigger_id` or `id`.")
    name: str = Field(description="What it is called.")
    type: str = Field(description="What starts it: `api_call`, `api_import` or `update`.")
    is_active: bool = Field(description="Whether it can be started.")


class TriggersListed(Success):
    """A part of the list; `total_count` counts all from `from_id` on."""

    model_config = example(data=[{"id": 8, "name": "Welcome", "type": "api_call", "is_active": True}], total_count=1)

    data: list[ListedTrigger] = Field(description="In the order of their numbers.")
    total_count: Count = Field(description="All from `from_id` on.")


class TriggerContent(Message):
    """What a message of its channel has."""


_WELCOME = {
    "id": 8,
    "name": "Welcome",
    "is_active": True,
    "trigger_type": "api_call",
    "list_id": 1,
    "resource_id": None,
    "send_channel": "email",
    "skip_minutes": 0,
    "unconditional_sending": False,
    "fields": None,
    "provider": None,
    "pace": None,
    "spread": None,
    "content": [{"subject": "Hello {lead._fname}", "html": "<p>Hello.</p>", "from_name": "Demo", "from_email": "demo@example.com"}],
}


class Trigger(Shape):
    """A trigger campaign, under the names that the original has for it."""

    id: int = Field(description="Its number.")
    name: str = Field(description="What it is called.")
    is_active: bool = Field(description="Whether it can be started.")
    trigger_type: str = Field(description="What starts it: `api_call`, `api_import` or `update`.")
    list_id: int = Field(description="The database's number.")
    resource_id: int | None = Field(description="The resource whose subscriptions are sent to.")
    send_channel: str = Field(description="By which its messages leave.")
    skip_minutes: Count = Field(description="Minutes that a launch waits which brings no `timeout`.")
    unconditional_sending: bool = Field(description="Whether it goes to the profile's own address, subscribed or not.")
    fields: list[str] | None = Field(description="Of an `update` trigger: it starts only when one of these changed.")
    provider: list[str] | None = Field(description="In the order in which they are tried; null is the account's only one, if any.")
    pace: int | None = Field(description="Launches a minute.")
    spread: int | None = Field(description="Minutes over which a batch's launches are spread.")
    content: list[TriggerContent] = Field(description="The message; there is one.")


class TriggerShown(Success):
    """The campaign as it is now."""

    model_config = example(data=_WELCOME)

    data: Trigger


class TriggerConfigured(Success):
    """In force for every request that is sent from now on."""

    model_config = example(id=8)

    id: int = Field(description="The campaign's number.")
