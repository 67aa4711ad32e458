"""Which stored profiles the items mean: look up, lock, look up again, merge, store."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import asyncpg

from schemas.ids import new_id
from schemas.kinds import Key, Kind
from workers.exactly_once import Conflict, TooMuch
from workers.matcher import identities, profiles, tags
from workers.matcher.batch_cache import as_declared_now
from workers.matcher.batches import Database
from workers.matcher.item import Held, Item, Outcome, Tags
from workers.matcher.merging import Merging
from workers.matcher.profile import Profile

# A look-up shows no more holders than that, so there may be others.
AMBIGUOUS = 2
# Seconds of work: the loop stands still meanwhile, and so does the transaction. Many items that change one large profile take long.
LONGEST_MERGE = 1.0


@dataclass(frozen=True)
class _Search:
    """All that a chunk's items look for."""

    keys: Sequence[Key]
    tags: Sequence[Tags]
    profiles: Sequence[bytes]

    @classmethod
    def of(cls, items: Sequence[Item]) -> "_Search":
        wanted = {key for item in items for key in item.keys} | {item.email for item in items if item.email}
        return cls(
            keys=list(wanted),
            tags=list({item.tags for item in items if item.tags is not None}),
            profiles=list({item.profile for item in items if item.profile is not None}.union(*(item.met for item in items if item.met))),
        )

    def narrowed(self, wanted: Collection[Key | Tags]) -> "_Search":
        return replace(self, keys=[key for key in self.keys if key in wanted], tags=[each for each in self.tags if each in wanted])

    async def found(self, connection: asyncpg.Connection, but: Sequence[bytes] = ()) -> Held:
        """Up to two profiles, `but` these, for each of what is searched by."""
        return await identities.look_up(connection, self.keys, but) | await tags.look_up(connection, self.tags, but)


async def match(connection: asyncpg.Connection, items: Sequence[Item]) -> list[Outcome]:
    """Apply the items in their order; what they change is stored in this transaction. Raises `Conflict` and `TooMuch`.

    What others may wait for is locked once, in one order for everyone; what turns out later to be needed is not waited for.
    """
    databases = await as_declared_now(connection, {item.batch.id: item.batch.database for item in items}.values())
    merging = await _locked(connection, items, databases, waiting=True)
    # Rarely, an item means a profile only because of the items before it; it knows that by now.
    while len(outcomes := merging.merge(items, _within(LONGEST_MERGE))) < len(items):
        merging = await _locked(connection, items, databases, waiting=False)
    await _store(connection, merging)
    return outcomes


def _within(seconds: float) -> Callable[[], None]:
    """Raises `TooMuch` when it is called later; what others make of the machine does not count."""
    began = time.thread_time()

    def check() -> None:
        if time.thread_time() - began > seconds:
            raise TooMuch("takes too long to merge")

    return check


async def _locked(connection: asyncpg.Connection, items: Sequence[Item], databases: Mapping[int, Database], *, waiting: bool) -> Merging:
    search = _Search.of(items)
    before = await search.found(connection)
    wanted = set(search.profiles).union(*before.values()) - tags.ENDLESS
    locked = await profiles.lock(connection, wanted, databases, waiting=waiting)
    # Whoever changed something while we waited for the locks has committed it by now.
    after = await _found_again(connection, search, before, locked) if wanted else before
    if await _forgotten(connection, search, after, locked, wanted):
        return await _locked(connection, items, databases, waiting=False)
    if any(len(holders) < AMBIGUOUS and not holders <= wanted for holders in after.values()):
        raise Conflict("somebody came to hold an identity meanwhile")
    ambiguous = {key for key, holders in after.items() if len(holders) >= AMBIGUOUS}
    # Who could not be locked has gone, and is nobody's match.
    strangers = await search.narrowed(ambiguous).found(connection, but=list(wanted))
    return Merging(databases, locked, strangers, unheld=set(search.keys) - after.keys(), new_id=new_id)


async def _forgotten(
    connection: asyncpg.Connection, search: _Search, found: Held, locked: Iterable[Profile], looked_at: set[bytes]
) -> bool:
    """Take out of the index who is gone, without a row that could be locked, and an e-mail that its holder has no more."""
    living = {profile.id: profile for profile in locked}
    gone = (set[bytes]().union(*found.values()) & looked_at) - living.keys()
    held = [(key, holder) for key in search.keys if gone or key[1][0] is Kind.EMAIL for holder in found.get(key, ())]
    held += [(tag, holder) for tags in search.tags if gone for holder in found.get(tags, ()) for tag in tags]
    stale = [(key, holder) for key, holder in held if holder in gone or _has_another_email(key, living.get(holder))]
    if stale:
        await identities.forget(connection, stale)
    return bool(gone or stale)


def _has_another_email(key: Key, holder: Profile | None) -> bool:
    # A look-up by it would find nobody, and whoever is created for it could not have it.
    return holder is not None and key[1][0] is Kind.EMAIL and key[1] not in holder.identities


async def _found_again(connection: asyncpg.Connection, search: _Search, before: Held, locked: Iterable[Profile]) -> Held:
    """What is found now; e-mails are spared where their one row already keeps a second holder away."""
    ours = {(profile.database.id, identity) for profile in locked for identity in profile.identities}
    certain = {key for key in search.keys if key[1][0] is Kind.EMAIL and (key in ours or key not in before)}
    again = await search.narrowed({key for key in search.keys if key not in certain} | {*search.tags}).found(connection)
    return {key: before[key] for key in certain & before.keys()} | again


async def _store(connection: asyncpg.Connection, merging: Merging) -> None:
    touched = [profile for profile in merging.profiles.values() if profile.new or profile.changed]
    await profiles.store(connection, touched)
    await identities.store(connection, touched)
