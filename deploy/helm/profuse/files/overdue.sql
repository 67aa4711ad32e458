-- Groups of launches that have been due for two seconds and that nobody claims: at most a hundred of each trigger,
-- found by leaps through the index, so that millions that wait cost nothing. What goes by a pace or a spread is due long
-- before its turn comes, and no launcher brings it further.
WITH RECURSIVE lanes AS (
    (SELECT account, trigger FROM {{ schema }}.launches WHERE finished_at IS NULL AND account IS NOT NULL ORDER BY account, trigger LIMIT 1)
    UNION ALL
    SELECT next.account, next.trigger FROM lanes, LATERAL (
        SELECT account, trigger FROM {{ schema }}.launches
        WHERE finished_at IS NULL AND (account, trigger) > (lanes.account, lanes.trigger)
        ORDER BY account, trigger LIMIT 1
    ) AS next
)
SELECT count(*)::float8 FROM lanes, LATERAL (
    SELECT FROM {{ schema }}.launches
    WHERE account = lanes.account AND trigger = lanes.trigger AND finished_at IS NULL AND run_at < now() - interval '2 seconds'
    LIMIT 100
) AS overdue
WHERE NOT EXISTS (
    SELECT FROM {{ schema }}.triggers WHERE id = lanes.trigger AND (pace IS NOT NULL OR spread IS NOT NULL)
)
