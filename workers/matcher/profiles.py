"""The table of profiles."""

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter

import asyncpg
import msgspec

from runtime.arrays import array, array_of_bytes
from runtime.portions import portions
from schemas.settings import KIB, MIB
from workers.exactly_once import TooMuch
from workers.matcher.batches import Database
from workers.matcher.profile import Profile

# Stored profiles, as JSON with a blank behind each comma and colon, that are held at once; parsed they are up to 28 times that.
MOST_BYTES = 8 * MIB
# As many are held however large they are: by `email_phone` an item means the holder of an e-mail, two of its subscriptions, two of a phone
# and two of its, and whoever has the e-mail that the data gives. With the blanks that may be 12 MiB, and parsed 270 MiB.
MOST_OF_ONE_ITEM = 8
# What is fetched at once of those that do not come with their locks, as it lies on disk, where it may be compressed by a factor of 250.
_FETCHED = 64 * KIB

# Neither large nor compressed: most of them.
_SMALL = """
    pg_column_size(data) + pg_column_size(subscriptions) <= 4096
    AND coalesce(pg_column_compression(data), pg_column_compression(subscriptions)) IS NULL
"""
# Sorted, or two matchers that mean the same profiles lock each other out.
_LOCK = f"""
    SELECT id, database, CASE WHEN {_SMALL} THEN data::text END, CASE WHEN {_SMALL} THEN subscriptions::text END,
           pg_column_size(data) + pg_column_size(subscriptions)
    FROM profiles WHERE id = ANY($1::bytea[]) AND database = ANY($2::int[]) ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608
_LOCK_AT_ONCE = f"{_LOCK} NOWAIT"
_READ = "SELECT id, database, data::text, subscriptions::text FROM profiles WHERE id = ANY($1::bytea[])"
_ROWS = "unnest($1::text::bytea[], $2::text::int[], $3::text::jsonb[], $4::text::jsonb[])"
_INSERT = f"INSERT INTO profiles (id, database, data, subscriptions) SELECT * FROM {_ROWS}"  # noqa: S608
_UPDATE = f"""
    UPDATE profiles SET data = latest.data, subscriptions = latest.subscriptions
    FROM {_ROWS} AS latest (id, database, data, subscriptions)
    WHERE profiles.id = latest.id
"""  # noqa: S608


async def lock(
    connection: asyncpg.Connection, ids: Collection[bytes], databases: Mapping[int, Database], *, waiting: bool = True
) -> list[Profile]:
    """The profiles as they are, and as they stay until the transaction ends; raises `TooMuch` if they are too large together.

    Who has locked something already must not wait for more, and is told that it is locked by an error that passes.
    """
    if not ids:
        return []
    locked = await connection.fetch(_LOCK if waiting else _LOCK_AT_ONCE, list(ids), list(databases))
    held = _Held(databases)
    for *row, _ in locked:
        if row[-1] is not None:
            held.add(*row)
    large = [(id_, size) for id_, _, data, _, size in locked if data is None]
    for some in portions(large, itemgetter(1), _FETCHED):
        for row in await connection.fetch(_READ, [id_ for id_, _ in some]):
            held.add(*row)
    return held.profiles


class _Held:
    """Profiles that were read, as long as they are not too much."""

    def __init__(self, databases: Mapping[int, Database]) -> None:
        self._databases = databases
        self._left = MOST_BYTES
        self.profiles: list[Profile] = []

    def add(self, id_: bytes, database: int, data: str, subscriptions: str) -> None:
        self._left -= len(data) + len(subscriptions)
        # There are no parts of one item, and none of the profiles may be left out: they were stored before.
        if self._left < 0 and len(self.profiles) >= MOST_OF_ONE_ITEM:
            # The traceback would keep them while the parts are committed.
            self.profiles.clear()
            raise TooMuch("means profiles that are too large together")
        decode = msgspec.json.decode
        self.profiles.append(Profile.stored(id_, self._databases[database], decode(data), decode(subscriptions)))


async def store(connection: asyncpg.Connection, profiles: Sequence[Profile]) -> None:
    """Write new profiles, which nobody else knows, and changed ones, which are locked."""
    for statement, rows in (
        (_INSERT, [_row(profile) for profile in profiles if profile.new]),
        (_UPDATE, [_row(profile) for profile in profiles if profile.changed and not profile.new]),
    ):
        if rows:
            ids, databases, data, subscriptions = zip(*rows, strict=True)
            await connection.execute(statement, array_of_bytes(ids), array(databases), array(data), array(subscriptions))


def _row(profile: Profile) -> tuple[bytes, int, str, str]:
    return profile.id, profile.database.id, *profile.written()
