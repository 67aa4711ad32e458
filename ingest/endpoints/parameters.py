"""The root parameters of requests: what all have in common, and how they are checked; /docs shows the same models."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ingest.endpoints.match_values import Email, FieldValue, Phone, ProfileId, Provider, SubscriptionId
from ingest.request_errors import being_indexed, invalid
from schemas.blanks import is_blank
from schemas.channels import MEMBERS
from schemas.fields import Field as DataField
from schemas.ids import ResourceNumber, TriggerNumber
from schemas.item_errors import ItemFailed
from schemas.matching import MODES, Matching, Own

# The token of examples.
SHOWN = "abcdefghijklmnqrstuvwxyz"

FormatJson = Annotated[Literal["json"], Field(description="There is no other.")]

R = TypeVar("R", bound="Parameters")

# What may be named, by the mode.
_NAMES = {
    Matching.CUSTOM: "no field of the database that is declared as matchable",
    Matching.CUSTOM_SUB: f"must be one of {', '.join(MEMBERS)}, which addresses in cc_data are called",
}

MATCHING = (
    "What the profile is searched by; an item names the value by the key of that name, or its profile does in `email`, `phones` "
    "or the field that `field_name` names; one without keys beside it only there."
)

_DECIMAL = re.compile(r"[0-9]{1,10}", re.ASCII)


class Parameters(BaseModel):
    """Nothing is converted and nothing is ignored: a typo is never silently lost."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    # Whether `data` is one object.
    ONE: ClassVar[bool] = False

    token: str | None = Field(None, description="API token, unless it is given as `Authorization: Bearer`.")


class MatchBy(Parameters):
    """How a profile is searched for; in a batch, an item's own value goes before the one here."""

    matching: Annotated[Matching, Field(strict=False, description=MATCHING)] = Matching.EMAIL
    email: Email = None
    phone: Phone = None
    profile_id: ProfileId = None
    field_name: str | None = Field(
        None, description="With `custom` a field of the database that is declared as matchable, with `custom_sub` a member of `cc_data`."
    )
    field_value: FieldValue = None
    provider: Provider = None
    subscription_id: SubscriptionId = None
    resource_id: ResourceNumber | None = Field(None, description="Narrows the subscriptions that are searched to one resource.")

    @model_validator(mode="after")
    def _searchable(self) -> Self:
        if MODES[self.matching].named and not self.field_name:
            raise ValueError(f"field_name: required with matching {self.matching}")
        return self

    @property
    def own_field(self) -> str | None:
        """The name of what is searched by, whatever is given with a mode that names nothing."""
        return self.field_name if MODES[self.matching].named else None

    @property
    def match_values(self) -> dict[str, int | str]:
        """The root's own match values, by their keys; a blank one counts as absent."""
        given = {part.key: getattr(self, part.key) for part in MODES[self.matching].parts}
        return {key: value for key, value in given.items() if value is not None and not is_blank(value)}


def _decimal(given: object) -> object:
    return int(given) if isinstance(given, str) and _DECIMAL.fullmatch(given) else given


CampaignId = Annotated[TriggerNumber, BeforeValidator(_decimal, json_schema_input_type=int | str)]
"""A campaign's number, which clients of the original write as text, too."""


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
    """What `field_name` says is searched by; refused if there is nothing."""
    try:
        own = MODES[request.matching].own(request.own_field, fields)
    except ItemFailed:
        raise invalid(f"field_name: {_NAMES.get(request.matching, '')}") from None
    if own is not None and own.field.indexing:
        raise being_indexed()
    return own


def _reason(kind: str, message: str) -> str:
    said = {
        "extra_forbidden": "unknown parameter",
        "missing": "required",
        "model_type": "must be an object",
    }
    return said.get(kind) or message.removeprefix("Value error, ")
