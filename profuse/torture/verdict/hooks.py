"""Events that hooks got: all of them, in the order of the topic, and in every repeat the same."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from profuse.torture.verdict.seen import Difference, Post, difference

# What stands for each event, in the order of its partition.
Partitions = Mapping[int, Sequence[bytes]]


def compared(told: Mapping[int, Partitions], posts: Sequence[Post]) -> Iterator[Difference]:
    """`told` is what the topic holds of each account."""
    yield difference("wrong", [f"{post.id}: {post.wrong}" for post in posts if post.wrong], "POSTs that no hook would take")
    first: dict[tuple[int, str], Post] = {}
    changed = [post.id for post in posts if first.setdefault((post.account, post.id), post).body != post.body]
    yield difference("wrong", changed, "POSTs to hooks that came again with another body")
    for account in sorted(told.keys() | {post.account for post in posts}):
        yield from _of_one(account, told.get(account, {}), [post for post in first.values() if post.account == account])


def _of_one(account: int, told: Partitions, posts: Sequence[Post]) -> Iterator[Difference]:
    """Posts without repeats, as they came for the first time."""
    expected = Counter(event for events in told.values() for event in events)
    got = Counter(event for post in posts for event in post.events)
    hook = (f"the hook of account {account}",)
    yield Difference("lost", (expected - got).total(), "events that did not reach a hook", hook)
    yield Difference("doubled", (got - expected).total(), "events that reached a hook, and nothing stands for", hook)
    if expected == got:
        yield Difference("wrong", _disordered(told, posts), "partitions whose events reached a hook in another order", hook)


def _disordered(told: Partitions, posts: Sequence[Post]) -> int:
    at = {event: partition for partition, events in told.items() for event in events}
    reached: dict[int, list[bytes]] = defaultdict(list)
    for post in posts:
        for event in post.events:
            reached[at[event]].append(event)
    return sum(reached[partition] != list(events) for partition, events in told.items())
