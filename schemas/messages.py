"""What travels on the topics: JSON with a version, readable with Kafka's own console consumer."""

from typing import Annotated, Any, ClassVar, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.ids import TriggerId

HexId = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]


class Unreadable(Exception):
    """The message cannot be decoded; it is set aside as a dead letter."""


class NewerVersion(Exception):
    """The message is of a version this process does not know; its partition waits for an upgrade."""


class _Versioned(msgspec.Struct):
    v: int


class Message(BaseModel):
    """A message of one version; a reader never guesses at a newer one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    VERSION: ClassVar[int] = 1

    v: int = 1

    @classmethod
    def decode(cls, value: bytes | None) -> Self:
        """Read a record's value; raises `NewerVersion` or `Unreadable`."""
        # A tombstone has no value; it is as unreadable as garbage.
        try:
            message = cls.model_validate_json(value or b"")
        except ValidationError as error:
            if _version(value or b"") > cls.VERSION:
                raise NewerVersion(cls.__name__) from None
            raise Unreadable(str(error.errors(include_input=False, include_url=False)[0]["msg"])) from None
        if message.v > cls.VERSION:
            raise NewerVersion(cls.__name__)
        return message

    def encode(self) -> bytes:
        return self.__pydantic_serializer__.to_json(self, exclude_none=False)

    @property
    def weight(self) -> int:
        """How many things it asks for: what a chunk of messages is bounded by."""
        return 1


def _version(value: bytes) -> int:
    try:
        return msgspec.json.decode(value, type=_Versioned).v
    except msgspec.MsgspecError:
        return 0


class ProfileImport(Message):
    """One profile to match. What all items of the batch share is in the `batches` row."""

    batch: HexId
    item: int = Field(ge=0)
    # The normalised match value, of tags an array; the batch says what it is matched with.
    value: str | list[str]
    data: dict[str, Any]
    custom_data: dict[str, Any] | None = None


class TriggerStart(BaseModel):
    """A trigger campaign to start, by internal id, for some of a chunk's items (None: for all)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trigger: TriggerId
    items: list[int] | None = None


class ProfilesMatched(Message):
    """The imported items of one batch and chunk, and what to start for them."""

    batch: HexId
    # The lowest item number matched in this transaction: unique in its batch.
    chunk: int = Field(ge=0)
    items: list[int]
    # As many ids as items, 24 hex digits each, one after the other.
    profiles: str = Field(pattern=r"^([0-9a-f]{24})*$")
    starts: list[TriggerStart]

    @property
    def weight(self) -> int:
        return len(self.items) * max(1, len(self.starts))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        # Else the launcher would stop at it, instead of setting it aside.
        known = set(self.items)
        if not len(known) == len(self.items) == len(self.profiles) // 24:
            raise ValueError("each item must have one profile")
        if not all(known.issuperset(start.items or ()) for start in self.starts):
            raise ValueError("only items of the message can be started")
        return self


class ProfileEvent(Message):
    """What happened to a profile."""

    model_config = ConfigDict(populate_by_name=True)

    event_id: str
    event_type: str
    event_date: str
    profile_id: HexId
    md5: str | None = Field(None, alias="_md5")
    list_id: int
    account_id: int
    custom_data: dict[str, Any]
    event_data: dict[str, Any]
    subscription: dict[str, Any] | None = None

    def encode(self) -> bytes:
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_none=True)


class DeadLetter(Message):
    """A message that could not be processed; its payload is in the `dead_letters` table."""

    topic: str
    partition: int
    offset: int
    reason: str
    batch: HexId | None = None
    item: int | None = None
