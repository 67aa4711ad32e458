"""What is shown of each kind of room; pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from profuse.top.samples import Span

# Of each process, by its name: its room, and where its health port is.
Addresses = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Trouble:
    """What should not be, and how it is called: a counter, or as it is now."""

    called: str
    name: str
    label: tuple[str, str] | None = None
    is_now: bool = False


@dataclass(frozen=True)
class Shown:
    """What is shown of one kind of room."""

    rate: Callable[[Span], str]
    waiting: Callable[[Span], str]
    late: Callable[[Span], str]
    troubles: Sequence[Trouble]


def _per_second(name: str, what: str) -> Callable[[Span], str]:
    return lambda span: f"{span.rate(name):,.1f} {what}/s"


def _within(name: str, what: str) -> Callable[[Span], str]:
    """Of a hundred, ninety-nine stayed within."""

    def say(span: Span) -> str:
        bound = span.within(name, 0.99)
        if bound is None:
            return ""
        return f"{what} p99 off the scale" if math.isinf(bound) else f"{what} p99 ≤ {bound:g} s"

    return say


def _lag(span: Span) -> str:
    return f"{span.total('profuse_lag'):,.0f} messages"


def _backlog(span: Span) -> str:
    """Each gateway sees the same one."""
    waiting = span.most("profuse_in_flight")
    # The rate of who stands still falls towards nothing, and never is it.
    rate = max(span.most("profuse_drain_rate"), 1.0)
    return f"{waiting:,.0f} profiles" + (f", {waiting / rate:,.1f} s" if waiting else "")


def _lateness(span: Span) -> str:
    overdue = f"overdue {span.most('profuse_launch_overdue_seconds'):,.1f} s"
    return ", ".join(filter(None, (overdue, _within("profuse_launch_lateness_seconds_bucket", "late")(span))))


def _behind(span: Span) -> str:
    return f"{span.total('profuse_hook_behind'):,.0f} records"


_LETTERS = Trouble("dead letters", "profuse_dead_letters_total")
# In the order in which data moves.
SHOWN = {
    "gateway": Shown(
        _per_second("profuse_requests_total", "requests"),
        _backlog,
        _within("profuse_request_seconds_bucket", "answers"),
        [
            Trouble("answered 429", "profuse_requests_total", ("status", "429")),
            Trouble("answered 503", "profuse_requests_total", ("status", "503")),
            Trouble("failed items", "profuse_items_total", ("fate", "failed")),
        ],
    ),
    "matcher": Shown(
        _per_second("profuse_messages_total", "profiles"), _lag, _within("profuse_chunk_seconds_bucket", "chunks"), [_LETTERS]
    ),
    "launcher": Shown(
        _per_second("profuse_launches_total", "launches"),
        _lag,
        _lateness,
        [
            Trouble("failed", "profuse_launches_total", ("ending", "fail")),
            Trouble("put off", "profuse_launches_put_off_total"),
            Trouble("held", "profuse_destinations_held", is_now=True),
            Trouble("providers paused", "profuse_providers_paused_total"),
            Trouble("leases lost", "profuse_launch_leases_lost_total"),
            Trouble("sweeps behind", "profuse_sweeps_behind", is_now=True),
            _LETTERS,
        ],
    ),
    "hooks": Shown(
        _per_second("profuse_hook_events_total", "events"),
        _behind,
        lambda _: "",
        [
            Trouble("not taken", "profuse_hook_posts_total", ("outcome", "again")),
            Trouble("paused", "profuse_hooks_paused_total"),
            Trouble("lost", "profuse_hook_events_lost_total"),
            Trouble("skipped", "profuse_hook_events_skipped_total"),
        ],
    ),
}
