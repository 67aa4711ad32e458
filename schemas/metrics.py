"""Every metric that any room emits, with a sentence on what it means."""

from prometheus_client import Counter, Gauge, Histogram

PROBLEMS = Gauge("profuse_problems", "Problems that a process tells at its /healthz and /readyz.", ["page"])
LOOP_LATE = Histogram(
    "profuse_loop_late_seconds",
    "How late a process comes to a timer of its own: its event loop was busy, or the process frozen.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 5),
)

REQUESTS = Counter(
    "profuse_requests",
    "Requests that the gateway answered; with the path `connections`, clients whose connection was too many.",
    ["path", "status"],
)
REQUEST_SECONDS = Histogram("profuse_request_seconds", "Time from a request's first byte to its answer.", ["path"])
ITEMS = Counter("profuse_items", "Items of accepted batches, by whether they were published or failed at the door.", ["fate"])
IN_FLIGHT = Gauge("profuse_in_flight", "Profiles between the door and a matcher's commit, as this gateway sees them.")
DRAIN_RATE = Gauge("profuse_drain_rate", "Profiles that the matchers commit in a second while they have any.")
REFUSED = Counter("profuse_refused", "Requests that were answered 429, by what was too much, of all or of one token.", ["reason"])

MESSAGES = Counter("profuse_messages", "Messages whose effects are committed.", ["topic"])
CHUNK_SECONDS = Histogram("profuse_chunk_seconds", "Time from reading a chunk to the broker's confirmation of its outbox.", ["topic"])
LAG = Gauge("profuse_lag", "Messages in a worker's partitions that it has yet to process, as the broker told it last.", ["topic"])
DEAD_LETTERS = Counter("profuse_dead_letters", "Messages that could not be processed.", ["topic"])

DEAD_LETTERS_KEPT = Gauge(
    "profuse_dead_letters_kept",
    "Dead letters that nobody replayed, by account, 0 for nobody's, as the launcher saw it that swept last.",
    ["account"],
)
DEAD_LETTERS_DROPPED = Counter(
    "profuse_dead_letters_dropped", "Dead letters that waited too long, or were too many of one account.", ["reason"]
)
SWEEPS_BEHIND = Gauge("profuse_sweeps_behind", "Sweeps in a row of this launcher that did not get through; old data stays meanwhile.")

SCHEDULED = Counter("profuse_launches_scheduled", "Launches that a matched message asked for, repeats included.")
LAUNCHES = Counter("profuse_launches", "Launches that ended, by how.", ["ending"])
LATENESS = Histogram(
    "profuse_launch_lateness_seconds",
    "Time from a group's due time to its first claim; of next attempts, halves and next runs nobody asks.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
OVERDUE = Gauge(
    "profuse_launch_overdue_seconds", "How long the group that waits longest has been due without being claimed, as this launcher sees it."
)
POSTPONED = Counter("profuse_launch_groups_postponed", "Times that a group of launches had to wait for its destination or the broker.")
PUT_OFF = Counter("profuse_launches_put_off", "Times that a launch left its group for another attempt.")
HELD = Gauge("profuse_destinations_held", "Mail servers, senders and domains at which nothing passes now, as this launcher sees it.")
PROVIDERS_PAUSED = Counter("profuse_providers_paused", "Times that a provider was paused.", ["provider"])
LEASES_LOST = Counter("profuse_launch_leases_lost", "Times that a launcher found its group claimed by another one.")
UNKNOWN_VARIABLES = Counter("profuse_template_unknown_variables", "Variables in templates that had no value.")

HOOK_POSTS = Counter("profuse_hook_posts", "POSTs to hooks, by what became of them.", ["outcome"])
HOOK_EVENTS = Counter("profuse_hook_events", "Events that hooks have taken.")
HOOK_BEHIND = Gauge("profuse_hook_behind", "Records of the topic that a hook has yet to look at, in this process.", ["account", "hook"])
HOOK_LOST = Counter(
    "profuse_hook_events_lost",
    "Records that were gone, or unreadable, before a hook was through them.",
    ["account", "hook"],
)
HOOK_SKIPPED = Counter("profuse_hook_events_skipped", "Records that no hook was told of.", ["reason"])
HOOKS_PAUSED = Counter("profuse_hooks_paused", "Times that a hook was paused.", ["account", "hook"])

SPANS = Counter("profuse_spans", "Ended spans, by whether the collector took them, did not, or too many waited for it.", ["fate"])
