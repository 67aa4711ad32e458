"""What goes out: launches, and events by hooks."""

from deploy.grafana.panels import Dashboard, Graph, Query
from deploy.grafana.queries import quantiles, rate, share

LAUNCHER = Dashboard(
    "profuse-launcher",
    "Profuse · Launcher",
    [],
    [
        Graph(
            "Launches",
            "In a second: asked for, and ended, by how.",
            [Query(rate("profuse_launches_scheduled_total"), "scheduled"), Query(rate("profuse_launches_total", "ending"), "{{ending}}")],
            "ops",
        ),
        Graph("Lateness", "From a group's due time to its first claim.", quantiles("profuse_launch_lateness_seconds"), "s"),
        Graph(
            "Late groups",
            "Share that is claimed later than 250 ms after it was due.",
            [Query("1 - " + share('profuse_launch_lateness_seconds_bucket{le="0.25"}', "profuse_launch_lateness_seconds_count"), "late")],
            "percentunit",
            is_share=True,
        ),
        Graph(
            "Overdue",
            "How long the group that waits longest has been due.",
            [Query('profuse_launch_overdue_seconds{job="profuse-launcher"}', "{{instance}}")],
            "s",
        ),
        Graph(
            "Waiting for others",
            "In a second: groups that waited for a destination or the broker, launches that left for another attempt.",
            [
                Query(rate("profuse_launch_groups_postponed_total"), "groups postponed"),
                Query(rate("profuse_launches_put_off_total"), "put off"),
            ],
            "ops",
        ),
        Graph(
            "Destinations held",
            "At which nothing passes, as each launcher sees it.",
            [Query("profuse_destinations_held > 0", "{{instance}}")],
        ),
        Graph(
            "Rare events",
            "Within an hour: providers that were paused, leases that were lost, variables without a value.",
            [
                Query("sum by (provider) (increase(profuse_providers_paused_total[1h]))", "paused: {{provider}}"),
                Query("sum(increase(profuse_launch_leases_lost_total[1h]))", "leases lost"),
                Query("sum(increase(profuse_template_unknown_variables_total[1h]))", "unknown variables"),
            ],
        ),
    ],
)

HOOKS = Dashboard(
    "profuse-hooks",
    "Profuse · Hooks",
    [],
    [
        Graph("Events taken", "In a second.", [Query(rate("profuse_hook_events_total"), "events")], "ops"),
        Graph(
            "POSTs", "In a second, by what became of them.", [Query(rate("profuse_hook_posts_total", "outcome"), "{{outcome}}")], "reqps"
        ),
        Graph(
            "Behind",
            "Records that a hook has yet to look at.",
            [Query("sum by (account, hook) (profuse_hook_behind)", "{{account}} {{hook}}")],
        ),
        Graph(
            "Rare events",
            "Within an hour: records lost and skipped, hooks paused.",
            [
                Query("sum by (account, hook) (increase(profuse_hook_events_lost_total[1h]))", "lost: {{account}} {{hook}}"),
                Query("sum by (reason) (increase(profuse_hook_events_skipped_total[1h]))", "skipped: {{reason}}"),
                Query("sum by (account, hook) (increase(profuse_hooks_paused_total[1h]))", "paused: {{account}} {{hook}}"),
            ],
        ),
    ],
)
