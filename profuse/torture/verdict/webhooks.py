"""Webhooks: each launch arrives at least once, and every time as the same message."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from profuse.torture.account import CALLED
from profuse.torture.verdict.seen import Applied, Call, Difference, Observed, difference, launches


def compared(done: Sequence[Applied], calls: Sequence[Call], observed: Observed) -> Iterator[Difference]:
    called = observed.campaigns[CALLED]
    expected = {launch: each for each in done for launch, campaign in launches(each) if campaign == called}
    came: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        came[call.launch].append(call)
    taken = {call.launch for call in calls if call.is_taken}
    yield difference("lost", expected.keys() - taken, "launches whose webhook did not arrive")
    yield difference("doubled", came.keys() - expected.keys(), "webhooks that nothing stands for")
    yield difference("wrong", [f"{call.launch}: {call.wrong}" for call in calls if call.wrong], "webhooks that no receiver would take")
    changed = [launch for launch, each in came.items() if any(call.content != each[0].content for call in each)]
    yield difference("wrong", changed, "webhooks that came again with another body")
    strange = [launch for launch in came.keys() & expected.keys() if not _is_right(came[launch][0].content, launch, expected[launch])]
    yield difference("wrong", strange, "webhooks about another profile, or with the custom_data of another item")


def _is_right(content: Any, launch: str, each: Applied) -> bool:
    """Each value that the launch alone decides."""
    profile = each.profile.hex()
    told = {"launch_id": launch, "profile_id": profile, "body": {"profile": profile}, "custom_data": each.request.custom_data(each.place)}
    return bool(content["type"] == "launch" and told.items() <= content["data"].items())
