"""Rows as the rooms write them, by SQL, for what would take hours to send."""

from collections.abc import Iterator

import asyncpg

from schemas.kinds import Kind

# Groups that fall due, and those that only wait; the ids of real batches begin with their time, and come before both.
DUE, WAITING = "ffff", "fffe"
_AT_ONCE = 500_000

_PROFILES = """
INSERT INTO profiles (id, database, data, subscriptions)
SELECT decode(lpad(to_hex(n), 24, '0'), 'hex'), (SELECT min(id) FROM databases),
    jsonb_build_object('email', n || '@bench.test', '_fname', 'First' || n, '_lname', 'Last' || n, '_city', 'City' || n % 500), '[]'
FROM generate_series($1::int, $2::int - 1) AS n ON CONFLICT DO NOTHING
"""
_IDENTITIES = """
INSERT INTO identities (database, kind, value, n, profile)
SELECT (SELECT min(id) FROM databases), $3::int, n || '@bench.test', 0, decode(lpad(to_hex(n), 24, '0'), 'hex')
FROM generate_series($1::int, $2::int - 1) AS n ON CONFLICT DO NOTHING
"""
# `$2` groups of `$3` launches, of batches of their own, that are due on no day; their profiles differ while there are enough.
_GROUPS = """
WITH ids AS (SELECT at, decode($6 || lpad(to_hex($1::bigint + at), 20, '0'), 'hex') AS id FROM generate_series(0, $2 - 1) AS at),
added AS (
    INSERT INTO batches (id, account, database, trigger, total, matching, skip_triggers, skip_invalid_subscriptions, detect_geo,
        content, custom_data, rejects, accepting_until, published_at, due_at, look_at)
    SELECT ids.id, 1, database, triggers.id, $3, 'email', false, false, false,
        '{}', '{}', '{}', now(), now(), now(), now() + interval '1 day'
    FROM triggers, ids WHERE account = 1 AND number = $4
    RETURNING id, trigger
)
INSERT INTO launches (batch, trigger, attempt, first_item, account, due_at, run_at, chunk, items, profiles, done)
SELECT id, trigger, 0, 0, 1, 'infinity', 'infinity', 0, its.items, its.profiles, repeat('0', $3)::varbit
FROM added JOIN (
    SELECT id, array_agg(n ORDER BY n) AS items,
        string_agg(decode(lpad(to_hex((at::bigint * $3 + n) % $5), 24, '0'), 'hex'), ''::bytea ORDER BY n) AS profiles
    FROM ids, generate_series(0, $3 - 1) AS n GROUP BY id
) AS its USING (id)
"""
_BATCHES_ARE_THERE = "SET session_replication_role = replica"


async def profiles(pool: asyncpg.Pool, first: int, end: int) -> None:
    """Those of these numbers, found by their e-mails."""
    for low, high in _parts(first, end):
        await pool.execute(_PROFILES, low, high)
        await pool.execute(_IDENTITIES, low, high, Kind.EMAIL)


async def groups(pool: asyncpg.Pool, prefix: str, first: int, count: int, size: int, trigger: int, population: int) -> None:
    """So many groups of so many launches, with ids that no others have."""
    async with pool.acquire() as connection:
        # Looking up for each row what the same statement has just written takes most of the time.
        await connection.execute(_BATCHES_ARE_THERE)
        for low, high in _parts(first, first + count):
            await connection.execute(_GROUPS, low, high - low, size, trigger, population, prefix)
        await connection.execute("RESET session_replication_role")


def _parts(first: int, end: int) -> Iterator[tuple[int, int]]:
    for low in range(first, end, _AT_ONCE):
        yield low, min(end, low + _AT_ONCE)
