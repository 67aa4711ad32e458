"""Pure: a launch as the body of a POST, whose members are those of its channel."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from schemas.templating.budget import TooCostly
from schemas.templating.conditions import Variables
from schemas.templating.filling import filled
from schemas.templating.rendering import Rendered, TooLong, render_link, render_text
from workers.launcher.channels.channel import Rejected
from workers.launcher.model import Campaign, Launch

# More is nobody's message.
_LONGEST = 1024 * 1024


class Message(NamedTuple):
    """`unknown`: how many variables of its templates have no value."""

    body: bytes
    unknown: int


def compose(launch: Launch, now: datetime, link: str | None = None) -> Message:
    """`link` is where its reader unsubscribes. Raises `Rejected` for a launch that makes no message."""
    campaign = launch.campaign
    try:
        variables = launch.variables(link)
        # What a trigger does not say is no member; what it says is one, also where nothing comes out.
        parts = {name: fill(campaign, variables) for name, fill in _PARTS[campaign.channel].items() if getattr(campaign, name)}
        data: dict[str, Any] = {
            "launch_id": launch.id,
            "account_id": campaign.account,
            "campaign_id": campaign.trigger,
            "channel": campaign.channel,
            "profile_id": launch.profile.id.hex(),
            **_address(launch),
            **{name: part.text for name, part in parts.items()},
            "content": campaign.content,
            "custom_data": launch.custom_data,
        }
        if "body" in data:
            # It is JSON already.
            data["body"] = msgspec.Raw(data["body"].encode())
        body = msgspec.json.encode({"type": "launch", "timestamp": now, "data": data})
    except TooCostly:
        raise Rejected("looks at more of its profile than a message may, by too many conditions on large fields") from None
    except TooLong:
        raise Rejected("renders to more than a message may hold") from None
    except UnicodeEncodeError:
        raise Rejected("holds text that cannot be sent") from None
    if len(body) > _LONGEST:
        raise Rejected(f"renders to more than {_LONGEST:,} bytes")
    return Message(body, sum(part.unknown for part in parts.values()))


def _address(launch: Launch) -> dict[str, str]:
    subscription = launch.recipient.subscription
    if launch.campaign.channel == "push" and subscription is not None:
        return {"provider": subscription["provider"], "subscription_id": launch.recipient.address}
    return {"address": launch.recipient.address} if launch.recipient.address else {}


_PARTS: Mapping[str, Mapping[str, Callable[[Campaign, Variables], Rendered]]] = {
    "sms": {"text": lambda campaign, variables: render_text(campaign.text, variables)},
    "push": {
        "title": lambda campaign, variables: render_text(campaign.title, variables),
        "text": lambda campaign, variables: render_text(campaign.text, variables),
        "link": lambda campaign, variables: render_link(campaign.link, variables),
    },
    "webhook": {"body": lambda campaign, variables: filled(campaign.body, variables)},
}
