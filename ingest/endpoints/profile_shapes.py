"""What a profile, a subscription and a functional update look like in a request: for readers of /docs; who checks them is the matcher."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.fields import FieldType
from schemas.system_fields import DATES, STATUS_NAMES, SYSTEM_FIELDS, SYSTEM_MEANINGS

_TEXT = [{"type": "string"}, {"type": "integer"}]


class FunctionalUpdate(BaseModel):
    """Changes what is stored instead of replacing it, in the order of the items."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"action": "incr", "value": 1}]})

    action: Literal["set", "unset", "incr", "add", "delete", "upsert"] = Field(
        description="`set` and `unset` for any type; `incr` for int and float; `add` and `delete` for tags and arr_object; "
        "`upsert` for object, and in each object of an arr_object that has the place."
    )
    value: Any = Field(None, description="What is set, added, deleted or placed, or how much `incr` adds; `unset` needs none.")
    submatch: str | None = Field(None, description="Of `upsert`: the place inside the object, names parted by dots.")


class EmailData(BaseModel):
    """The address of an e-mail subscription, as the original nests it."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(None, description="The same as `email` beside it.")


class PhoneData(BaseModel):
    """The address of an SMS subscription, as the original nests it."""

    model_config = ConfigDict(extra="forbid")

    phone: str | None = Field(None, description="The same as `phone` beside it.")


class GivenSubscription(BaseModel):
    """A subscription, known by resource and address: added, or changed key by key. A key that is unknown fails the item."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"resource_id": 24, "email": "ann@example.com", "status": "subscribed"}]}
    )

    resource_id: int | None = Field(None, description="May be left out where the database has one resource of the channel.")
    channel: str | None = Field(None, description="The resource's: email, sms, push, telegram_bot, whatsapp, viber, notify, or your own.")
    email: str | FunctionalUpdate | None = Field(None, description="The address of the channel email.")
    phone: str | FunctionalUpdate | None = Field(None, description="The address of the channel sms, with its country's code.")
    email_data: EmailData | None = Field(None, description="As the original nests the address.")
    phone_data: PhoneData | None = Field(None, description="As the original nests the address.")
    provider: str | FunctionalUpdate | None = Field(None, description="Of the channel push: who delivers to the device.")
    subscription_id: str | FunctionalUpdate | None = Field(None, description="Of the channel push: the device, as its provider knows it.")
    cc_data: dict[str, Any] | None = Field(None, description="Of other channels: `id` or `phone` is the address, the rest is kept.")
    status: str | int | FunctionalUpdate | None = Field(None, description=f"{STATUS_NAMES} A new one is `subscribed`.")
    priority: int | FunctionalUpdate | None = Field(None, description="The lowest is sent to first; a new one has 0.")
    date: str | int | FunctionalUpdate | None = Field(None, description="When it was subscribed to or left. " + DATES)
    ip: str | FunctionalUpdate | None = Field(None, description="The IP address that it was subscribed from.")
    url: str | FunctionalUpdate | None = Field(None, description="The page at which it was subscribed to.")
    cats: list[str] | FunctionalUpdate | None = Field(None, description="Categories, which behave like tags.")
    custom_fields: dict[str, Any] | FunctionalUpdate | None = Field(None, description="What else is known of it: any JSON.")


_WHOLE = {
    "email": "ann@example.com",
    "phones": ["+79000000011"],
    "_fname": "Ann",
    "_bdate": "1990-02-03",
    "plan": "pro",
    "interests": {"action": "add", "value": ["chess"]},
    "subscriptions": [{"resource_id": 24, "email": "ann@work.example.com", "priority": 1}],
}


def _with_system_fields(schema: dict[str, Any]) -> None:
    """Each is a value of its type, a functional update, or null."""
    schema["examples"] = [_WHOLE]
    # However the generator spells the reference.
    update = schema["properties"]["email"]["anyOf"][1]
    for name, meaning in SYSTEM_MEANINGS.items():
        schema["properties"][name] = {"anyOf": [*_accepted(SYSTEM_FIELDS[name].type), update, {"type": "null"}], "description": meaning}


def _accepted(type_: FieldType) -> list[dict[str, Any]]:
    return [{"type": "string"}] if type_ is FieldType.IP else _TEXT


class GivenProfile(BaseModel):
    """A profile in a request: a field that is left out stays, null unsets it, a value replaces it whole.

    The database's own fields stand beside these, by their names, as `databases/fields_get` lists them.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra=_with_system_fields)
    __pydantic_extra__: dict[str, Any | FunctionalUpdate] = Field(init=False)

    email: str | FunctionalUpdate | None = Field(None, description="One profile of a database has it; null is as if it were left out.")
    phones: str | list[str] | FunctionalUpdate | None = Field(None, description="One number or several, with country codes; 1,000 at most.")
    subscriptions: list[GivenSubscription] | FunctionalUpdate | None = Field(
        None, description="Those that are added or changed; the others stay. Of functional updates it has `set` and `unset`. 1,000 at most."
    )
    own_id: str | None = Field(None, alias="_id", description="24 hex digits; if given, it must be the id of the profile that is meant.")
