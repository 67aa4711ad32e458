"""The root parameters of requests: what all have in common, and how they are checked; /docs shows the same models."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ingest.errors import Refused, invalid
from schemas.blanks import is_blank
from schemas.fields import Field as DataField
from schemas.ids import SIZE, ResourceNumber, TriggerNumber
from schemas.item_errors import Why
from schemas.matching import MODES, Matching, Own

# The token of examples.
SHOWN = "abcdefghijklmnqrstuvwxyz"

R = TypeVar("R", bound="Parameters")

_DECIMAL = re.compile(r"[0-9]{1,10}", re.ASCII)


class Parameters(BaseModel):
    """Nothing is converted and nothing is ignored: a typo is never silently lost."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    # Whether `data` is one object.
    ONE: ClassVar[bool] = False

    token: str | None = Field(None, description="API token, unless it is given as `Authorization: Bearer`.")


class MatchBy(Parameters):
    """How a profile is searched for; in a batch, an item's own value goes before the one here."""

    matching: Annotated[Matching, Field(strict=False)] = Matching.EMAIL
    email: str | None = None
    phone: str | None = None
    profile_id: str | None = Field(None, description=f"{2 * SIZE} hex digits.")
    field_name: str | None = Field(None, description="A field of the database that is declared as matchable; only with `custom`.")
    field_value: int | str | None = None
    provider: str | None = Field(None, description="Of a push subscription; with `subscription_id`.")
    subscription_id: str | None = None
    resource_id: ResourceNumber | None = Field(None, description="Narrows an e-mail's or phone's subscriptions to one resource.")

    @model_validator(mode="after")
    def _searchable(self) -> Self:
        if self.matching is Matching.CUSTOM and not self.field_name:
            raise ValueError("field_name: required with matching custom")
        return self

    @property
    def own_field(self) -> str | None:
        """The name of the database's own field that is searched by; only `custom` searches one, whatever is named."""
        return self.field_name if self.matching is Matching.CUSTOM else None

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
    """The declared field that `custom` searches; refused if there is none."""
    name = request.own_field
    if name is None:
        return None
    field = fields.get(name)
    if field is None or not field.match:
        raise invalid("field_name: no field of the database that is declared as matchable")
    if field.indexing:
        raise Refused(409, Why.FIELD_IS_BEING_INDEXED.text, "field_name: profiles that were there before are still being filed by it")
    return Own(name, field)


def _reason(kind: str, message: str) -> str:
    said = {
        "extra_forbidden": "unknown parameter",
        "missing": "required",
        "model_type": "must be an object",
    }
    return said.get(kind) or message.removeprefix("Value error, ")
