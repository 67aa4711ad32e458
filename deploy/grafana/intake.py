"""What comes in: the gateway, and whoever reads a topic."""

from deploy.grafana.panels import Dashboard, Graph, Query
from deploy.grafana.queries import EACH, quantiles, rate

GATEWAY = Dashboard(
    "profuse-gateway",
    "Profuse · Gateway",
    [],
    [
        Graph("Requests by call", "In a second.", [Query(rate("profuse_requests_total", "path"), "{{path}}")], "reqps"),
        Graph("Requests by status", "In a second.", [Query(rate("profuse_requests_total", "status"), "{{status}}")], "reqps"),
        Graph("Answers, median and worst", "From a request's first byte to its answer.", quantiles("profuse_request_seconds", "path"), "s"),
        Graph(
            "Items",
            "Of accepted batches, in a second: published, or failed at the door.",
            [Query(rate("profuse_items_total", "fate"), "{{fate}}")],
            "ops",
        ),
        Graph(
            "In flight",
            "Profiles between the door and a matcher's commit, as each gateway sees them.",
            [Query('profuse_in_flight{job="profuse-gateway"}', "{{instance}}")],
        ),
        Graph(
            "Drain",
            "Profiles that the matchers commit in a second.",
            [Query('profuse_drain_rate{job="profuse-gateway"}', "{{instance}}")],
            "ops",
        ),
        Graph(
            "Answered 429", "In a second, by what was too much.", [Query(rate("profuse_refused_total", "reason"), "{{reason}}")], "reqps"
        ),
    ],
)

WORKERS = Dashboard(
    "profuse-workers",
    "Profuse · Matcher and topics",
    [],
    [
        Graph(
            "Messages", "Whose effects are committed, in a second.", [Query(rate("profuse_messages_total", "topic"), "{{topic}}")], "ops"
        ),
        Graph("Lag", "Messages that are yet to be processed.", [Query("sum by (topic) (profuse_lag)", "{{topic}}")]),
        Graph("Messages by process", "In a second.", [Query(rate("profuse_messages_total", "job, instance"), EACH)], "ops"),
        Graph("Chunks", "From reading one to the broker's confirmation of its outbox.", quantiles("profuse_chunk_seconds", "topic"), "s"),
        Graph(
            "Dead letters", "That came within an hour.", [Query("sum by (topic) (increase(profuse_dead_letters_total[1h]))", "{{topic}}")]
        ),
        Graph("Dead letters kept", "By account, 0 for nobody's.", [Query("max by (account) (profuse_dead_letters_kept)", "{{account}}")]),
        Graph(
            "Dead letters dropped",
            "Within an hour.",
            [Query("sum by (reason) (increase(profuse_dead_letters_dropped_total[1h]))", "{{reason}}")],
        ),
        Graph("Sweeps behind", "In a row that did not get through.", [Query("profuse_sweeps_behind > 0", "{{instance}}")]),
    ],
)
