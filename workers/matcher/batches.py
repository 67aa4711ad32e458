"""What the items of a batch share, as the matcher sees it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from schemas.addresses import normal_email, normal_phones
from schemas.batches import BatchKind, BatchSettings
from schemas.fields import Field
from schemas.ids import ResourceNumber, TriggerId
from schemas.matching import MODES, Mode
from schemas.system_fields import SPECIAL_FIELDS, SYSTEM_FIELDS
from schemas.values import JsonValue


@dataclass(frozen=True)
class UpdateTrigger:
    """A campaign that starts when an import changed a profile; with `fields`, only when one of these changed."""

    id: TriggerId
    fields: frozenset[str] | None


@dataclass(frozen=True)
class Database:
    """A database of profiles, its declared fields, and what an import into it may start."""

    id: int
    unknown_fields: str
    fields: Mapping[str, Field]
    # The account's number of each resource, and its channel.
    resources: Mapping[ResourceNumber, str]
    import_triggers: tuple[TriggerId, ...]
    update_triggers: tuple[UpdateTrigger, ...]

    def declaring(self, fields: Mapping[str, Field]) -> "Database":
        return self if fields is self.fields else replace(self, fields=fields)

    @cached_property
    def known(self) -> dict[str, Field | None]:
        """All names that an item's data may have; None for those with rules of their own."""
        return {**self.fields, **SYSTEM_FIELDS, **dict.fromkeys(("_id", *SPECIAL_FIELDS))}

    @cached_property
    def parsers(self) -> dict[str, Callable[[JsonValue], JsonValue]]:
        """What makes the stored form of a value, of fields that nothing else is to be known of."""
        own = {name: field.parser for name, field in {**self.fields, **SYSTEM_FIELDS}.items()}
        return {**own, "email": normal_email, "phones": normal_phones}

    @cached_property
    def matchable(self) -> dict[str, Field]:
        """The fields that profiles are found by."""
        return {name: field for name, field in self.fields.items() if field.match}

    @cached_property
    def indexing(self) -> frozenset[str]:
        """Those that older profiles are still being filed by: what is stored of these, nobody knows."""
        return frozenset(name for name, field in self.matchable.items() if field.indexing)

    @cached_property
    def settled(self) -> dict[str, Field]:
        return {name: field for name, field in self.matchable.items() if not field.indexing}

    @cached_property
    def identifying(self) -> frozenset[str]:
        """A change of anything else leaves a profile findable as it was."""
        return frozenset({*SPECIAL_FIELDS, *self.matchable})


@dataclass(frozen=True)
class Batch(BatchSettings):
    """One request: its settings, and what they are about."""

    id: bytes
    database: Database
    # None where it starts none of its own.
    trigger: TriggerId | None
    total: int
    resource: ResourceNumber | None

    @cached_property
    def mode(self) -> Mode:
        return MODES[self.matching]

    @cached_property
    def found_by(self) -> frozenset[str]:
        """Keys of a subscription by which its profile is found, too: where it is set alone, both stand at the root."""
        return frozenset(part.key for part in self.mode.parts) if self.kind is BatchKind.SET else frozenset()

    @cached_property
    def creates(self) -> bool:
        return self.kind.creates
