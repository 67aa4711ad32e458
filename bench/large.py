"""What a matcher holds while one batch means 2,000 stored profiles of a MiB each, or so many as are asked for."""

import asyncio
import sys
import time

import asyncpg

from bench.account import TASK_PATH, TOKEN, TRIGGER
from bench.peaks import LIMIT, forget_peak, most_of, processes
from bench.stack import Stack, running
from profuse.plain_http import plain_client

_PROFILES = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
_STATUS_PATH = "/api/v1.1/tasks/status"

# Objects without a member are what costs most when it is parsed; the first one is copied.
_FIRST = """
    INSERT INTO profiles SELECT decode(lpad('1', 24, '0'), 'hex'), id,
        jsonb_build_object('email', '1@large.test', 'bulk', ('[' || repeat('{},', 349000) || '{}]')::jsonb), '[]'
    FROM databases
"""
_OTHERS = """
    INSERT INTO profiles
    SELECT decode(lpad(to_hex(n), 24, '0'), 'hex'), database, data || jsonb_build_object('email', n || '@large.test'), '[]'
    FROM profiles, generate_series(2, $1::int) AS n
"""
_IDENTITIES = "INSERT INTO identities SELECT database, 1, data ->> 'email', 0, id FROM profiles"


async def main() -> int:
    with running() as stack:
        await _store(stack)
        matchers = processes(stack, "matcher")
        for matcher in matchers:
            forget_peak(matcher)
        began = time.monotonic()
        await _import(stack)
        peak = max(map(most_of, matchers))
        print(f"{_PROFILES:,} profiles of a MiB changed in {time.monotonic() - began:.0f} s; a matcher's peak: {peak} MiB")
    return 1 if peak > LIMIT else 0


async def _store(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.postgres, server_settings={"search_path": "profuse"})
    await connection.execute(_FIRST)
    await connection.execute(_OTHERS, _PROFILES)
    await connection.execute(_IDENTITIES)
    await connection.close()


async def _import(stack: Stack) -> None:
    items = [{"data": {"email": f"{number}@large.test", "version": 1}} for number in range(1, _PROFILES + 1)]
    known = {"token": TOKEN}
    async with plain_client(timeout=60, base_url=stack.api) as client:
        batch = {**known, "trigger_id": TRIGGER, "data": items}
        accepted = (await client.post(TASK_PATH, json=batch)).json()
        asked = {**known, "task_id": accepted["data"]["task_id"], "limit": 1}
        while (task := (await client.post(_STATUS_PATH, json=asked)).json()["data"])["status"] != "completed":
            await asyncio.sleep(0.5)
        if task["result"]["imported"] != _PROFILES:
            raise RuntimeError(f"not all were imported: {task['result']}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
