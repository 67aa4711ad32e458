"""Tags in the index of what profiles are found by: whoever is searched for carries all of several."""

from collections import defaultdict
from collections.abc import Sequence

import asyncpg

from store.tag_search import carriers
from workers.matcher.item import Held, Tags

ENDLESS = frozenset({b"one", b"another"})
"""Stand for all those whom nobody has counted: nobody has such an id."""


async def look_up(connection: asyncpg.Connection, tags: Sequence[Tags], but: Sequence[bytes] = ()) -> Held:
    """Up to two profiles, `but` these, for each combination of tags that anybody carries; or `ENDLESS`."""
    found: Held = defaultdict(set)
    if tags:
        searches = [(each[0][0], [identity for _, identity in each]) for each in tags]
        for at, profile in await carriers(connection, searches, but):
            found[tags[at]].update(ENDLESS if profile is None else {profile})
    return dict(found)
