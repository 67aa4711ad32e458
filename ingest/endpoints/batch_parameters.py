"""The parameters of requests that bring items: the one definition that checks them and that /docs shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Raw
from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from ingest.endpoints.item_shapes import BARE_PROFILE, KEYS_ONLY, ONE_PROFILE, WITH_PROFILE, Item, MatchKeys, Shape
from ingest.endpoints.launch_parameters import Attachment, Launching, Timeout
from ingest.endpoints.parameters import MATCHING, SHOWN, CampaignId, FormatJson, MatchBy
from ingest.endpoints.profile_shapes import GivenProfile
from ingest.request_errors import invalid
from schemas.batches import BatchKind, BatchSettings
from schemas.channels import CHANNELS
from schemas.ids import ResourceNumber, TriggerNumber
from schemas.matching import Matching
from schemas.settings import Settings

# What an item is of that is found by the root's own keys.
_NOTHING = Raw(b"{}")


@dataclass(frozen=True)
class Asked:
    """What any request that brings items asks for; what it has no parameter for is as it is here."""

    kind: BatchKind
    shape: Shape
    match: MatchBy
    # As they are written in the body: each is decoded alone, so that one that is wrong fails itself.
    data: Sequence[Raw] = (_NOTHING,)
    trigger_id: TriggerNumber | None = None
    db_id: int | None = None
    # The resource of the one subscription that is set.
    subscribed_to: ResourceNumber | None = None
    skip_triggers: bool = False
    skip_invalid_subscriptions: bool = False
    detect_geo: bool = False
    timeout: Timeout | None = None
    custom_data: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)
    attach: list[Attachment] = field(default_factory=list)

    def settings(self) -> BatchSettings:
        """What is stored of it for whoever imports the items."""
        return BatchSettings(
            self.kind,
            self.match.matching,
            self.match.own_field,
            self.skip_triggers,
            self.skip_invalid_subscriptions,
            self.detect_geo,
        )

    def check_limits(self, settings: Settings) -> None:
        for name, value, most in (
            ("content", self.content, settings.content_limit),
            ("custom_data", self.custom_data, settings.custom_data_limit),
        ):
            if len(msgspec.json.encode(value)) > most:
                raise invalid(f"{name}: more than {most} bytes")


_ASKED = frozenset(each.name for each in fields(Asked))


def _items(given: object) -> Sequence[Raw]:
    if not isinstance(given, list) or not given:
        raise ValueError("must be an array of one item or more")
    return given


def _one(given: object) -> Sequence[Raw]:
    if not given:
        raise ValueError("must be an object")
    return given  # type: ignore[return-value]  # as a call gives it


Items = Annotated[Sequence[Raw], PlainValidator(_items, json_schema_input_type=Annotated[list[Item], Field(min_length=1)])]
Profiles = Annotated[Sequence[Raw], PlainValidator(_items, json_schema_input_type=Annotated[list[GivenProfile], Field(min_length=1)])]
Found = Annotated[Sequence[Raw], PlainValidator(_items, json_schema_input_type=Annotated[list[MatchKeys], Field(min_length=1)])]
Profile = Annotated[Sequence[Raw], PlainValidator(_one, json_schema_input_type=GivenProfile)]

_CAMPAIGN = "The trigger campaign to start; it must be active and of the type api_call."
_ALONE = "The profile: its fields, and its `subscriptions`. A match key beside `data` goes before what stands in it."
_ITS_DATABASE = "The database's number; it must be the trigger's."


class BatchRequest(MatchBy):
    """Any of them; one that brings one profile is a batch of one."""

    KIND: ClassVar[BatchKind]
    SHAPE: ClassVar[Shape] = WITH_PROFILE

    format: FormatJson = "json"

    def asked(self) -> Asked:
        return Asked(self.KIND, self.SHAPE, self, **{name: value for name, value in self if name in _ASKED})


class Importing(BaseModel):
    """How profiles are imported."""

    skip_triggers: bool = Field(False, description="Start no triggers that react to the import itself.")
    skip_invalid_subscriptions: bool = Field(False, description="Drop an invalid subscription instead of failing its item.")
    detect_geo: bool = Field(False, description="Fill the location from the profile's `_ip` or `_regip`.")


def _example(**given: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [{"token": SHOWN, **given}]})


_ANN, _BOB = {"email": "ann@example.com", "_fname": "Ann"}, {"email": "bob@example.com", "_fname": "Bob"}


class ImportAndStartBatch(BatchRequest, Importing, Launching):
    """Add or update many profiles, then start one trigger campaign for each."""

    model_config = _example(trigger_id=8, matching="email", timeout={"hours": 1}, data=[{"data": _ANN}, {"data": _BOB}])

    KIND = BatchKind.IMPORT_AND_START

    trigger_id: TriggerNumber = Field(description=_CAMPAIGN)
    data: Items = Field(description="Items: `data` is the profile; match keys and `custom_data` may stand beside it.")
    db_id: int | None = Field(None, description=_ITS_DATABASE)


class ImportAndStart(BatchRequest, Importing, Launching):
    """Add or update one profile, then start one trigger campaign for it."""

    model_config = _example(trigger_id=8, email="ann@example.com", data=_ANN, custom_data={"order": 17})

    KIND = BatchKind.IMPORT_AND_START
    SHAPE = ONE_PROFILE
    ONE = True

    trigger_id: TriggerNumber = Field(description=_CAMPAIGN)
    data: Profile = Field(description=_ALONE)
    db_id: int | None = Field(None, description=_ITS_DATABASE)


class StartBatch(BatchRequest, Launching):
    """Start one trigger campaign for many profiles that exist; nobody is created or changed."""

    model_config = _example(trigger_id=8, data=[{"email": "ann@example.com", "custom_data": {"order": 17}}, {"email": "bob@example.com"}])

    KIND = BatchKind.START
    SHAPE = KEYS_ONLY

    trigger_id: TriggerNumber = Field(description=_CAMPAIGN)
    data: Found = Field(description="Items: what finds each profile, and its `custom_data`.")
    db_id: int | None = Field(None, description=_ITS_DATABASE)


class StartBatchTask(BatchRequest, Launching):
    """Start one trigger campaign for many profiles that exist, without waiting for them to be found."""

    model_config = _example(id=8, data=[{"email": "ann@example.com"}])

    KIND = BatchKind.START
    SHAPE = KEYS_ONLY

    trigger_id: CampaignId = Field(alias="id", description=_CAMPAIGN)
    data: Found = Field(description="Items: what finds each profile, and its `custom_data`.")
    db_id: int | None = Field(None, description=_ITS_DATABASE)


class Start(BatchRequest, Launching):
    """Start one trigger campaign for one profile that exists; nobody is created or changed."""

    model_config = _example(id=8, email="ann@example.com", content={"code": "A-17"})

    KIND = BatchKind.START
    SHAPE = KEYS_ONLY
    ONE = True

    trigger_id: CampaignId = Field(alias="id", description=_CAMPAIGN)
    db_id: int | None = Field(None, description=_ITS_DATABASE)


class ImportProfiles(BatchRequest, Importing):
    """Add or update many profiles; no campaign is started but those that react to it."""

    model_config = _example(db_id=1, matching="email", data=[_ANN, _BOB])

    KIND = BatchKind.IMPORT
    SHAPE = BARE_PROFILE

    db_id: int = Field(description="The database's number.")
    data: Profiles = Field(description="Profiles: their fields, and their `subscriptions`.")


class ImportProfile(BatchRequest, Importing):
    """Add or update one profile; no campaign is started but those that react to it."""

    model_config = _example(db_id=1, matching="email", email="ann@example.com", data=_ANN)

    KIND = BatchKind.IMPORT
    SHAPE = ONE_PROFILE
    ONE = True

    db_id: int = Field(description="The database's number.")
    data: Profile = Field(description=_ALONE)


class SetSubscription(BatchRequest):
    """Add or change one subscription of one profile that exists; nobody is created."""

    model_config = _example(db_id=1, profile_id="019f3c1b2a4d5e6f70819203", resource_id=24, email="ann@example.com", status="unsubscribed")

    KIND = BatchKind.SET
    SHAPE = ONE_PROFILE
    ONE = True

    db_id: int = Field(description="The database's number.")
    matching: Annotated[Matching, Field(strict=False, description=MATCHING)] = Matching.PROFILE_ID
    email: str | None = Field(None, description="The subscription's address; with a matching by e-mail, what the profile is found by, too.")
    phone: str | None = Field(None, description="The same of a phone.")
    resource_id: ResourceNumber = Field(description="The resource subscribed to; it does not narrow the search.")
    channel: str | None = Field(None, description="Left out: the resource's.")
    cc_data: dict[str, Any] | None = Field(None, description="The address of channels like telegram_bot, and what else is known of it.")
    status: str | int | None = Field(None, description="A word or its number, 0 to 6; left out, it stays, and a new one is `subscribed`.")
    priority: int | None = Field(None, description="The lowest goes first.")
    date: str | int | None = Field(None, description="When it was subscribed to or left.")
    ip: str | None = Field(None, description="The IP address that it was subscribed from.")
    url: str | None = Field(None, description="The page at which it was subscribed to.")
    # One error is told: as many as there are wrong ones would take up hundreds of megabytes.
    cats: list[str] | None = Field(None, fail_fast=True, description="Categories, which behave like tags.")
    custom_fields: dict[str, Any] | None = Field(None, description="What else is known of it: any JSON.")
    skip_triggers: bool = Field(False, description="Start no `update` trigger.")

    def asked(self) -> Asked:
        """As an import of a profile that has nothing but this subscription; what is null is not given there, either."""
        subscription = {name: getattr(self, name) for name in _OF_SUBSCRIPTION}
        data = Raw(msgspec.json.encode({"subscriptions": [subscription]}))
        match = MatchBy.model_construct(**{name: getattr(self, name) for name in MatchBy.model_fields} | {"resource_id": None})
        return Asked(
            self.KIND, self.SHAPE, match, data=[data], db_id=self.db_id, subscribed_to=self.resource_id, skip_triggers=self.skip_triggers
        )


_ADDRESS = tuple(dict.fromkeys(key for row in CHANNELS.values() for key in row.keys))
_OF_SUBSCRIPTION = (*_ADDRESS, "resource_id", "channel", "status", "priority", "date", "ip", "url", "cats", "custom_fields")
