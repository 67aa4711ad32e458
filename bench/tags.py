"""What a search by tags costs that a million carry: time, and the blocks that it looks at."""

import asyncio
import json
import sys

import asyncpg

from bench.stack import running
from schemas.identities import tagged
from schemas.kinds import Kind
from store.tag_search import CARRIERS, MOST_STEPS

_CARRIED = 1_000_000
# Each by its first carrier, how far apart they are, and how many.
_TAGS = {"all": (1, 1, _CARRIED), "even": (2, 2, _CARRIED), "odd": (3, 2, _CARRIED), "rare": (500_000, 1, 1)}
_SEARCHES = (("all",), ("all", "even"), ("even", "odd"), ("all", "rare"), ("even", "all", "rare"))
_CARRY = """
    INSERT INTO identities SELECT $1, $2, $3, n, decode(lpad(to_hex(n), 24, '0'), 'hex') FROM generate_series($4::bigint, $5, $6) AS n
"""


async def main() -> int:
    print(f"| tags, {_CARRIED:,} carriers of each but the rare one | found | blocks | ms |\n|---|---|---|---|")
    with running() as stack:
        connection = await asyncpg.connect(
            stack.postgres, server_settings={"search_path": "profuse", "enable_seqscan": "off", "jit": "off"}
        )
        database = await connection.fetchval("SELECT id FROM databases")
        for tag, (first, step, count) in _TAGS.items():
            ((kind, value),) = tagged("tags", [tag])
            await connection.execute(_CARRY, database, kind, value, first, first + step * (count - 1), step)
        for tags in _SEARCHES:
            print(f"| {' and '.join(tags)} | {await _cost(connection, database, tags)} |", flush=True)
        await connection.close()
    return 0


async def _cost(connection: asyncpg.Connection, database: int, tags: tuple[str, ...]) -> str:
    spelled = f"{{{','.join(value for _, value in tagged('tags', tags))}}}"
    nobody: list[bytes] = []
    asked = [database], [spelled], Kind.FIELD, nobody, MOST_STEPS
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {CARRIERS}"
    # Of the second run: the first one reads what nobody has read before.
    (told,) = [(await connection.fetchval(explain, *asked)) for _ in range(2)][1:]
    found = json.loads(told)[0]
    blocks = found["Plan"]["Shared Hit Blocks"] + found["Plan"]["Shared Read Blocks"]
    return f"{int(found['Plan']['Actual Rows'])} | {blocks:,} | {found['Execution Time']:.1f}"


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
