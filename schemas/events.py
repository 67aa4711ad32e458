"""What the world hears about profiles: the messages of the topic of events, which hooks get as they stand there."""

from typing import Annotated, Any, NotRequired, TypedDict

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.messages import HexId, Message

# What a hook may ask for.
EVENT_TYPES = ("import_api", "launch", "send", "skip", "fail", "cancel")


class EventData(TypedDict):
    """Which item it is about, and which of its launches."""

    batch_id: Annotated[str, Meta(description="The batch: what the API calls a task.")]
    item: Annotated[int, Meta(description="The item's place in its request, from 0.")]
    campaign_id: NotRequired[Annotated[int, Meta(description="The trigger campaign's number; of launches alone.")]]
    launch_id: NotRequired[Annotated[str, Meta(description="The same in all attempts and runs of the launch.")]]
    reason: NotRequired[Annotated[str, Meta(description="Why nothing was sent.")]]


class ProfileEvent(Message, frozen=True, kw_only=True):
    """What happened to a profile; what it does not have, or an event has no room for, is left out."""

    event_id: Annotated[str, Meta(description="The same in every repeat, with every field equal: drop what you have.")]
    event_type: Annotated[str, Meta(description="What happened: to an imported item, or to one of its launches.")]
    event_date: Annotated[str, Meta(description="When it happened, in RFC 3339.")]
    profile_id: Annotated[HexId, Meta(description="24 hex digits; also the record's key, so that a profile's events keep their order.")]
    md5: Annotated[str, Meta(description="Of the e-mail that the item left; of a launch, that the profile has by then.")] | UnsetType = (
        msgspec.field(default=UNSET, name="_md5")
    )
    list_id: Annotated[int, Meta(description="The profile's database, by its account's number.")]
    account_id: int
    custom_data: Annotated[dict[str, Any], Meta(description="The item's, laid over its request's.")]
    event_data: EventData
    subscription: (
        Annotated[
            dict[str, Any],
            Meta(
                description="The one that the message went to, or would have; left out where that is the profile's own address, "
                "and of a launch that failed untried, or while its destination was held, or by a fault of Profuse's."
            ),
        ]
        | UnsetType
    ) = UNSET
