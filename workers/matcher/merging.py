"""Pure: the items of a chunk, applied one after the other to the profiles that were found for them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from schemas.blanks import is_blank
from schemas.item_errors import ItemFailed, Why
from schemas.kinds import Identity, Key
from schemas.same import same
from schemas.values import JsonValue
from workers.matcher.batches import Database
from workers.matcher.change import Change
from workers.matcher.item import Held, Item, Outcome
from workers.matcher.profile import Profile, overlaid
from workers.matcher.subscribing import merged


class _Unlocked(Exception):
    """The item means a profile that nobody looked at yet."""


class Merging:
    """What is known of the stored profiles while a chunk's items are merged.

    `databases` are as they are declared now. `profiles` are locked; whoever else holds an identity is in `strangers`,
    and in `unheld` are those that nobody holds. Who is created gets one of `new_id`.
    """

    def __init__(
        self,
        databases: Mapping[int, Database],
        profiles: Iterable[Profile],
        strangers: Held,
        unheld: set[Key],
        new_id: Callable[[], bytes],
    ) -> None:
        self._databases = databases
        self.profiles = {profile.id: profile for profile in profiles}
        self._strangers = strangers
        self._unheld = unheld
        self._new_id = new_id
        self._holders: dict[Key, set[bytes]] = defaultdict(set)
        for profile in self.profiles.values():
            self._file(profile, profile.identities)

    def merge(self, items: Sequence[Item], check_time: Callable[[], None]) -> list[Outcome]:
        """The items' outcomes, in order; fewer if some of them mean profiles that are not locked, which these have met then.

        The time is checked between any two of them, by raising.
        """
        outcomes: list[Outcome] = []
        for at, item in enumerate(items):
            if at:
                check_time()
            try:
                outcomes.append(self._apply(item))
            except ItemFailed as error:
                outcomes.append(Outcome(item.batch, item.number, error=error))
            except _Unlocked:
                # All of it begins anew; until the end, for those behind it may be found to do the same.
                continue
        return outcomes

    def _apply(self, item: Item) -> Outcome:
        self._refuse_unfinished(item)
        found = self._found(item)
        if len(found) > 1:
            raise ItemFailed(Why.SEVERAL_MATCH)
        if not found and item.implied is None:
            raise ItemFailed(Why.PROFILE_NOT_FOUND, item.batch.mode.key)
        if item.change.profile not in (None, *found):
            raise ItemFailed(Why.INCORRECT_ID, "_id")
        if not found:
            created = self._create(item)
            return Outcome(item.batch, item.number, created.id, item.custom_data, created.data.get("email"))
        (profile,) = found
        if profile not in self.profiles:
            item.met += (profile,)
            raise _Unlocked
        held = self.profiles[profile]
        changed = self._update(held, item)
        return Outcome(item.batch, item.number, profile, item.custom_data, held.data.get("email"), changed)

    def _refuse_unfinished(self, item: Item) -> None:
        """Since the item was accepted its field may have become one that is not matched by, and one that is again."""
        if name := item.batch.field_name:
            own = item.batch.mode.own(name, self._databases[item.batch.database.id].fields)
            if own is not None and own.field.indexing:
                raise ItemFailed(Why.FIELD_IS_BEING_INDEXED, name)

    def _found(self, item: Item) -> set[bytes]:
        if item.profile is not None:
            known = self.profiles.get(item.profile)
            return {known.id} if known and known.database.id == item.batch.database.id else set()
        if item.tags is not None:
            carriers = sorted((self._holders[tag] for tag in item.tags), key=len)
            return carriers[0].intersection(*carriers[1:]).union(self._strangers.get(item.tags, ()))
        found: set[bytes] = set()
        for key in item.keys:
            found.update(self._holders.get(key, ()), self._strangers.get(key, ()))
        return found

    def _create(self, item: Item) -> Profile:
        profile = Profile(self._new_id(), self._databases[item.batch.database.id], new=True)
        data = _started(item.implied or {}, item.change)
        self._claim_email(profile, item)
        profile.become(data, merged([], item.change.subscriptions) if item.change.subscriptions else [], data)
        self.profiles[profile.id] = profile
        self._refile(profile)
        # Known before this chunk to be held by nobody: whoever else saw that must not create too.
        profile.claims = profile.identities & {key[1] for key in item.keys if key in self._unheld}
        return profile

    def _update(self, profile: Profile, item: Item) -> frozenset[str]:
        data, changed = overlaid(profile.data, item.change.fields, item.change.updates)
        if "email" in changed:
            self._claim_email(profile, item)
        subscriptions = [] if item.change.forgets_subscriptions else profile.subscriptions
        if item.change.subscriptions:
            subscriptions = merged(subscriptions, item.change.subscriptions)
        if subscriptions is not profile.subscriptions and not same(subscriptions, profile.subscriptions):
            changed.add("subscriptions")
        if changed:
            profile.become(data, subscriptions, changed)
            profile.changed = True
            if not changed.isdisjoint(profile.database.identifying):
                self._refile(profile)
        return frozenset(changed)

    def _claim_email(self, profile: Profile, item: Item) -> None:
        if item.email is not None and not self._holders.get(item.email, set()) <= {profile.id}:
            raise ItemFailed(Why.EMAIL_IS_TAKEN, "email")

    def _refile(self, profile: Profile) -> None:
        """Find the profile by what it is now, and no more by what it was."""
        identities = profile.answers_to()
        for identity in profile.identities - identities:
            self._holders[profile.database.id, identity].discard(profile.id)
        self._file(profile, identities - profile.identities)
        profile.identities = identities
        profile.claims &= identities

    def _file(self, profile: Profile, identities: Iterable[Identity]) -> None:
        for identity in identities:
            self._holders[profile.database.id, identity].add(profile.id)


def _started(implied: Mapping[str, JsonValue], change: Change) -> dict[str, JsonValue]:
    """A new profile's data: updates find what it was searched by as if that were stored."""
    data, _ = overlaid(implied, change.fields, change.updates)
    for name, value in implied.items():
        # Nobody would find it by what created it: each repeat of its item would create one more.
        if _says_nothing(data.get(name)):
            data[name] = value
    return data


def _says_nothing(value: JsonValue) -> bool:
    return value is None or value == [] or is_blank(value)
