"""Each profile: it holds every update that was applied to it and no other, and nobody created it who had to find another one.

Items of one match value have an order; of different ones only if one was sent after the other was answered. Two that race to create may
leave two profiles of one person; an e-mail is unique all the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from profuse.torture.account import CHANGED
from profuse.torture.model import COUNTER, FIELDS, Identity, Key, Request, mark, mark_address
from profuse.torture.verdict.batches import AMBIGUOUS, TAKEN
from profuse.torture.verdict.seen import Applied, Difference, Observed, Profile, difference

_NOTHING = Profile({})


def compared(requests: Sequence[Request], done: Sequence[Applied], observed: Observed) -> Iterator[Difference]:
    updates: dict[bytes, list[Applied]] = defaultdict(list)
    for each in done:
        updates[each.profile].append(each)
    holders = _holders(observed.profiles)
    yield difference("lost", updates.keys() - observed.profiles.keys(), "answered profiles that are not there")
    yield difference("wrong", observed.profiles.keys() - updates.keys(), "profiles that nobody was answered")
    yield difference(
        "doubled", [value for value, found in holders.items() if len(found) > 1 and value[0] is Key.EMAIL], "e-mails with two profiles"
    )
    yield difference("lost", _lost(done, observed.profiles), "updates that are not in their profiles")
    yield difference("doubled", _unknown(updates, observed.profiles), "updates of profiles that nothing stands for")
    yield difference("lost", _counted(updates, observed.profiles, -1), "profiles that count fewer updates than they were applied")
    yield difference("doubled", _counted(updates, observed.profiles, 1), "profiles that count more updates than they were applied")
    yield difference("wrong", _strangers(done, holders), "items whose match value their profile does not hold")
    yield difference("wrong", _outdated(updates, observed.profiles), "values that are not the last ones")
    yield difference("doubled", _needless(updates), "profiles that were created although others were known")
    yield difference("wrong", _unjustified(requests, observed, holders), "items that failed with 409, and nobody was in their way")
    yield difference("lost", _unchanged(updates, observed), "profiles of which an update started nothing")


def _holders(profiles: Mapping[bytes, Profile]) -> dict[Identity, set[bytes]]:
    """Who is found by what."""
    holders: dict[Identity, set[bytes]] = defaultdict(set)
    for id_, profile in profiles.items():
        data = profile.data
        held = [(Key.EMAIL, data.get("email")), (Key.CODE, data.get("code"))]
        held += [(Key.PHONE, phone) for phone in data.get("phones", ())] + [(Key.LABEL, label) for label in data.get("labels", ())]
        for key, value in held:
            if value is not None:
                holders[key, value].add(id_)
    return holders


def _lost(done: Iterable[Applied], profiles: Mapping[bytes, Profile]) -> Iterator[int]:
    for each in done:
        profile = profiles.get(each.profile, _NOTHING)
        subscribed = not each.item.subscribes or mark_address(each.item.number) in profile.addresses
        if mark(each.item.number) not in profile.data or not subscribed:
            yield each.item.number


def _unknown(updates: Mapping[bytes, Sequence[Applied]], profiles: Mapping[bytes, Profile]) -> Iterator[str]:
    for id_, profile in profiles.items():
        known = {mark(each.item.number) for each in updates.get(id_, ())}
        yield from (name for name in profile.data if name[:1] == "m" and name[1:].isdecimal() and name not in known)


def _counted(updates: Mapping[bytes, Sequence[Applied]], profiles: Mapping[bytes, Profile], sign: int) -> Iterator[str]:
    """Profiles whose counter differs to this side."""
    for id_, applied in updates.items():
        if id_ in profiles and sign * (profiles[id_].data.get(COUNTER, 0) - len(applied)) > 0:
            yield id_.hex()


def _strangers(done: Iterable[Applied], holders: Mapping[Identity, set[bytes]]) -> Iterator[int]:
    return (each.item.number for each in done if each.profile not in holders.get(each.item.sought, ()))


def _outdated(updates: Mapping[bytes, Sequence[Applied]], profiles: Mapping[bytes, Profile]) -> Iterator[tuple[str, str, object]]:
    for id_, applied in updates.items():
        data = profiles.get(id_, _NOTHING).data
        for name in ("version", *FIELDS):
            possible = last([each for each in applied if name in each.item.writes])
            if data.get(name) not in possible and (possible or name in data):
                yield id_.hex(), name, data.get(name)


def last(writes: Sequence[Applied]) -> set[int]:
    """Those that may be the last: no other one is surely later."""
    newest = max((write.request.sent for write in writes), default=0.0)
    # Of one match value: the request that was sent last, and the last place in each request.
    sent: dict[Identity, float] = defaultdict(float)
    places: dict[tuple[str, Key, str], int] = defaultdict(int)
    for write in writes:
        sought = write.item.sought
        sent[sought] = max(sent[sought], write.request.sent)
        places[write.request.id, *sought] = max(places[write.request.id, *sought], write.place)
    return {
        write.item.number
        for write in writes
        if write.request.applied >= newest
        and write.request.taken >= sent[write.item.sought]
        and write.place == places[write.request.id, *write.item.sought]
    }


def _needless(updates: Mapping[bytes, Sequence[Applied]]) -> Iterator[str]:
    """Each of its items was sent when another profile was known to hold what the item is matched by."""
    known: dict[Identity, dict[bytes, float]] = defaultdict(dict)
    for id_, applied in updates.items():
        for each in applied:
            for value in each.item.identities:
                known[value][id_] = min(known[value].get(id_, each.request.applied), each.request.applied)
    for id_, applied in updates.items():
        if all(_had_to_find_another(each, known[each.item.sought]) for each in applied):
            yield id_.hex()


def _had_to_find_another(each: Applied, known: Mapping[bytes, float]) -> bool:
    # Refused items are applied long after they were sent.
    return not each.item.is_refused and any(moment < each.request.sent for id_, moment in known.items() if id_ != each.profile)


def _unjustified(requests: Iterable[Request], observed: Observed, holders: Mapping[Identity, set[bytes]]) -> Iterator[int]:
    for request in requests:
        batch = observed.batches.get(request.id)
        for place, entry in batch.errors if batch else ():
            item = request.items[place]
            if entry == AMBIGUOUS and len(holders.get(item.sought, ())) < 2:
                yield item.number
            if entry == TAKEN and not holders.get((Key.EMAIL, item.email)):
                yield item.number


def _unchanged(updates: Mapping[bytes, Sequence[Applied]], observed: Observed) -> Iterator[str]:
    """Each item changes its profile, but for the one that created it."""
    for id_, applied in updates.items():
        without = [each for each in applied if each.place not in each.batch.launches.get(observed.campaigns[CHANGED], ())]
        silent = [each for each in without if not each.request.skip_triggers]
        if len(silent) > 1:
            yield id_.hex()
