"""How an item is written: with its profile inside, as the bare profile, or as what finds one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ingest.endpoints.match_values import Email, FieldValue, Phone, ProfileId, Provider, SubscriptionId
from ingest.endpoints.profile_shapes import GivenProfile
from schemas.item_errors import ItemFailed, Why


class MatchKeys(BaseModel):
    """What finds a profile that exists; another key fails the item."""

    model_config = ConfigDict(extra="forbid")

    email: Email = None
    phone: Phone = None
    profile_id: ProfileId = None
    field_value: FieldValue = None
    provider: Provider = None
    subscription_id: SubscriptionId = None
    custom_data: dict[str, Any] | None = Field(None, description="Its own keys go before the root's.")


class Item(MatchKeys):
    """One profile of a batch, and what it is matched by; another key fails it."""

    data: GivenProfile = Field(description="The profile: its fields, and its `subscriptions`.")


class Parts(NamedTuple):
    """What an item says: what it is matched by, its profile, and what travels to its launch."""

    keys: Mapping[str, Any]
    data: Any
    custom_data: Any


@dataclass(frozen=True)
class Shape:
    """The keys that an item may have; None: those of a profile, which it is itself."""

    allowed: frozenset[str] | None
    holds_data: bool = True
    # Whether the root's match keys are its own: it is the only one.
    owns_root: bool = False

    def parted(self, item: dict[str, Any]) -> Parts:
        """Raises `ItemFailed`, naming a key that it may not have."""
        if self.allowed is None:
            return Parts({}, item, None)
        if not self.allowed.issuperset(item):
            raise ItemFailed(Why.UNKNOWN_PARAMETER, min(item.keys() - self.allowed))
        return Parts(item, item.get("data") if self.holds_data else {}, item.get("custom_data"))

    def profile_of(self, item: Any) -> Mapping[str, Any]:
        """The fields of whatever was sent, for who looks for one that is to blame."""
        found = item if self.allowed is None or not isinstance(item, dict) else item.get("data")
        return found if isinstance(found, dict) else {}


WITH_PROFILE = Shape(frozenset(Item.model_fields))
BARE_PROFILE = Shape(None)
ONE_PROFILE = Shape(None, owns_root=True)
KEYS_ONLY = Shape(frozenset(MatchKeys.model_fields), holds_data=False)
