"""What travels on the topics: JSON with a version, readable with Kafka's own console consumer."""

from functools import cache
from typing import Annotated, Any, ClassVar, Self

import msgspec
from msgspec import Meta

from schemas.ids import SIZE, TriggerId

# Python's `$` would let a line's end pass.
HexId = Annotated[str, Meta(pattern=r"^[0-9a-f]{24}\Z")]

_ENCODER = msgspec.json.Encoder()
_DIGITS = 2 * SIZE
MD5_DIGITS = 32
NO_MD5 = MD5_DIGITS * "0"


class Unreadable(Exception):
    """The message cannot be decoded; it is set aside as a dead letter."""


class NewerVersion(Exception):
    """The message is of a version this process does not know; its partition waits for an upgrade."""


class _Versioned(msgspec.Struct):
    v: int


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message of one version; a reader never guesses at a newer one.

    Not a pydantic model, as requests are: there is one for each profile, and reading it took 3 times, making it 10 times as long.
    """

    VERSION: ClassVar[int] = 1

    v: int = 1

    @classmethod
    def decode(cls, value: bytes | None) -> Self:
        """Read a record's value; raises `NewerVersion` or `Unreadable`."""
        # A tombstone has no value; it is as unreadable as garbage.
        try:
            message: Self = _decoder(cls).decode(value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            if _version(value or b"") > cls.VERSION:
                raise NewerVersion(cls.__name__) from None
            raise Unreadable(str(error)) from None
        if message.v > cls.VERSION:
            raise NewerVersion(cls.__name__)
        return message

    def encode(self) -> bytes:
        return _ENCODER.encode(self)

    @property
    def weight(self) -> int:
        """How many things it asks for: what a chunk of messages is bounded by."""
        return 1


@cache
def _decoder(message: type[Message]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(message)


def _version(value: bytes) -> int:
    try:
        return msgspec.json.decode(value, type=_Versioned).v
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return 0


class ProfileImport(Message, frozen=True, kw_only=True):
    """One profile to match. What all items of the batch share is in the `batches` row."""

    batch: HexId
    item: Annotated[int, Meta(ge=0)]
    # The normalised match value, of tags an array, of several values an object; the batch says what it is matched with.
    value: str | list[str] | dict[str, str]
    data: dict[str, Any]
    custom_data: dict[str, Any] | None = None


class TriggerStart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trigger campaign to start, by internal id, for some of a chunk's items (None: for all)."""

    trigger: TriggerId
    items: list[int] | None = None


class ProfilesMatched(Message, frozen=True, kw_only=True):
    """The imported items of one batch and chunk, and what to start for them."""

    VERSION: ClassVar[int] = 2

    v: int = 2
    batch: HexId
    # The lowest item number matched in this transaction: unique in its batch.
    chunk: Annotated[int, Meta(ge=0)]
    items: list[int]
    # As many ids as items, 24 hex digits each, one after the other.
    profiles: Annotated[str, Meta(pattern=r"^[0-9a-f]*\Z")]
    starts: list[TriggerStart]
    # As many MD5s of the profiles' e-mails, 32 hex digits each, zeros for none; None: of imports that nobody is told of, and in version 1.
    md5s: Annotated[str, Meta(pattern=r"^[0-9a-f]*\Z")] | None = None

    @property
    def weight(self) -> int:
        return len(self.items) * max(1, len(self.starts))

    def __post_init__(self) -> None:
        # Else the launcher would stop at it, instead of setting it aside.
        known = set(self.items)
        if not len(known) == len(self.items) == len(self.profiles) / _DIGITS:
            raise ValueError("each item must have one profile")
        if self.md5s is not None and len(self.md5s) != MD5_DIGITS * len(self.items):
            raise ValueError("each item must have one MD5")
        if not all(known.issuperset(start.items or ()) for start in self.starts):
            raise ValueError("only items of the message can be started")


class DeadLetter(Message, frozen=True, kw_only=True):
    """A message that could not be processed; its payload is in the `dead_letters` table."""

    topic: str
    partition: int
    offset: int
    reason: str
    batch: HexId | None = None
    item: int | None = None
