"""All rooms at a glance."""

from deploy.grafana.panels import Dashboard, Graph, Query, Stat
from deploy.grafana.queries import EACH, quantiles, rate, share

OVERVIEW = Dashboard(
    "profuse-overview",
    "Profuse · Overview",
    [
        Stat(
            "Alarms",
            "That fire now; docs/runbook.md has an entry for each.",
            'count(ALERTS{alertname=~"Profuse.+", alertstate="firing"}) or vector(0)',
            bad=1,
        ),
        Stat("Processes not ready", "Their /readyz says why.", 'count(profuse_problems{page="readyz"} > 0) or vector(0)', bad=1),
        Stat("Requests", "In a second.", rate("profuse_requests_total"), "reqps"),
        Stat("Profiles matched", "In a second.", rate('profuse_messages_total{topic=~".+[.]imports"}'), "ops"),
        Stat(
            "Backlog",
            "How long until what is accepted now is matched.",
            "max(profuse_in_flight) / clamp_min(max(profuse_drain_rate), 1)",
            "s",
            bad=120,
        ),
        Stat("Overdue", "How long the group that waits longest has been due.", "max(profuse_launch_overdue_seconds)", "s", bad=60),
    ],
    [
        Graph(
            "From the door to the world",
            "In a second: profiles that were accepted and matched, launches that were scheduled and ended.",
            [
                Query(rate('profuse_items_total{fate="published"}'), "accepted"),
                Query(rate('profuse_messages_total{topic=~".+[.]imports"}'), "matched"),
                Query(rate("profuse_launches_scheduled_total"), "scheduled"),
                Query(rate("profuse_launches_total"), "ended"),
            ],
            "ops",
        ),
        Graph("Lag", "Messages that workers have yet to process.", [Query("sum by (topic) (profuse_lag)", "{{topic}}")]),
        Graph(
            "Not served",
            "Share of requests that were answered 429 or 503.",
            [
                Query(share('profuse_requests_total{status="429"}', "profuse_requests_total"), "429"),
                Query(share('profuse_requests_total{status="503"}', "profuse_requests_total"), "503"),
            ],
            "percentunit",
            is_share=True,
        ),
        Graph("Lateness", "From a group's due time to its first claim.", quantiles("profuse_launch_lateness_seconds"), "s"),
        Graph(
            "Trouble",
            "In a second: dead letters, launches that failed, POSTs to hooks that were not taken.",
            [
                Query(rate("profuse_dead_letters_total"), "dead letters"),
                Query(rate('profuse_launches_total{ending="fail"}'), "failed launches"),
                Query(rate('profuse_hook_posts_total{outcome!="taken"}'), "hook posts"),
            ],
            "ops",
        ),
        Graph("Cores", "Of each process.", [Query('rate(process_cpu_seconds_total{job=~"profuse-.+"}[$__rate_interval])', EACH)]),
        Graph("Memory", "Of each process.", [Query('process_resident_memory_bytes{job=~"profuse-.+"}', EACH)], "bytes"),
        Graph("Event loops", "How late one of a hundred timers is.", quantiles("profuse_loop_late_seconds", "job")[1:], "s"),
    ],
)
