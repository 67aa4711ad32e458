"""Which couriers there are: one for each active hook and partition of ours, as it is now."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress

import structlog

from runtime.kafka import AWAY
from runtime.postgres import POSTGRES_ERRORS
from runtime.racing import rest
from schemas import metrics
from workers.exactly_once.advice import shown
from workers.hooks import declared, positions, retries
from workers.hooks.choosing import begin_of, placed
from workers.hooks.courier import Courier, Tools
from workers.hooks.model import Hook, Place
from workers.hooks.newest import Newest
from workers.hooks.positions import PlaceLost
from workers.hooks.reading import Reading

log = structlog.get_logger()

# Seconds. A hook that was changed is found so soon.
_EVERY = 1.0
# What hooks have looked at and did not want is stored so often: a little of it may be looked at again.
_STORED_EVERY = 5.0
# For POSTs that are out when we are told to stop, and for the table to hear how far everybody has come.
_GRACE = 5.0
_GOODBYE = 1.0
# Turns after which a place beyond the end means another topic, and not a leader that is new and has yet to hear of its end.
_BEYOND = 10

SERVER_ERRORS = (*AWAY, *POSTGRES_ERRORS)

_Key = tuple[int, int]


class Hosting:
    """Starts couriers and ends them."""

    def __init__(self, tools: Tools, newest: Newest, reading: Reading) -> None:
        self._tools = tools
        self._newest = newest
        self._reading = reading
        self._couriers: dict[_Key, Courier] = {}
        self._tasks: dict[_Key, asyncio.Task[None]] = {}
        # What the table says already, and since when.
        self._stored: dict[_Key, int] = {}
        self._stored_at = 0.0
        self._beyond: Counter[_Key] = Counter()
        # Hooks as they were a turn ago; None before the first one, when nobody knows what is new.
        self._before: Mapping[int, Hook] | None = None
        self._stop = asyncio.Event()

    async def turn(self) -> None:
        """Make them what they should be. Raises what the servers raise."""
        owned = self._newest.owned or ()
        active = {hook.id: hook for hook in await declared.active(self._tools.pool)}
        wanted = {(number, partition): hook for number, hook in active.items() for partition in owned}
        await self._end([key for key in self._couriers if self._is_over(key, wanted)])
        missing: defaultdict[int, dict[int, Hook]] = defaultdict(dict)
        for (number, partition), hook in wanted.items():
            if (number, partition) not in self._couriers:
                missing[partition][number] = hook
        for partition, hooks in missing.items():
            await self._begin(partition, hooks)
        self._before = active
        for partition in set(owned) - {partition for _, partition in self._couriers}:
            self._newest.end(partition)
        if time.monotonic() - self._stored_at > _STORED_EVERY:
            await self._store()
        self._tell()

    async def wait(self) -> None:
        """Until the next turn is due, or partitions have come or gone."""
        await rest(self._newest.changed, _EVERY)
        self._newest.changed.clear()

    async def close(self) -> None:
        """Let what is out come back; what is noted and not told is sent again by whoever is next."""
        self._stop.set()
        with suppress(*SERVER_ERRORS):
            async with asyncio.timeout(_GOODBYE):
                await self._store()
        posting = [key for key, courier in self._couriers.items() if courier.is_posting]
        await self._end([key for key in self._couriers if key not in posting])
        if posting:
            await asyncio.wait([self._tasks[key] for key in posting], timeout=_GRACE)
        await self._end(posting)

    def _is_over(self, key: _Key, wanted: Mapping[_Key, Hook]) -> bool:
        """What operators changed begins anew, too: with other secrets, from another place, without a rest."""
        return wanted.get(key) != self._couriers[key].hook or self._tasks[key].done() or self._newest.window(key[1]) is None

    async def _begin(self, partition: int, hooks: Mapping[int, Hook]) -> None:
        claimed = await positions.claim(self._tools.pool, hooks.values(), partition)
        # Not before: until then another process may have moved them, beyond an end that was asked for earlier.
        start, end = await self._reading.bounds(partition)
        begins = await self._reading.since(partition, [hooks[place.hook].since for place, is_known in claimed if not is_known], end)
        places = []
        for place, is_known in claimed:
            place.position = place.position if is_known else begins[hooks[place.hook].since]
            if await self._is_settled(place, hooks[place.hook], start, end):
                places.append(place)
        self._newest.begin(partition, begin_of((place.position for place in places), end))
        for place in places:
            self._start(hooks[place.hook], place)

    async def _is_settled(self, place: Place, hook: Hook, start: int, end: int) -> bool:
        """Whether it has a place from which it may go on."""
        self._beyond[place.key] = self._beyond[place.key] + 1 if place.position > end else 0
        if 0 < self._beyond[place.key] < _BEYOND:
            return False
        before = place.position
        lost = placed(place, start, end)
        if before != place.position:
            with suppress(PlaceLost):
                await positions.lose(self._tools.pool, place, lost, place.position)
            metrics.HOOK_LOST.labels(str(hook.account), hook.name).inc(lost)
            at = {"account": hook.account, "hook": hook.name, "partition": place.partition, "position": before}
            log.error("events_lost", **at, lost=lost, goes_on_at=place.position, why="the broker has deleted them, see PROFUSE_EVENTS_KEPT")
        return True

    def _start(self, hook: Hook, place: Place) -> None:
        # Or all that fail would be called at once after a restart, and after each outage; what operators change is in force at once.
        is_changed = self._before is not None and self._before.get(hook.id) != hook
        rest = 0.0 if is_changed else retries.left(place.attempts, place.quiet, random.random())  # noqa: S311
        courier = self._couriers[place.key] = Courier(hook, place, self._tools, rest)
        self._tasks[place.key] = asyncio.create_task(courier.run(self._stop))
        self._stored.pop(place.key, None)

    async def _end(self, keys: Iterable[_Key]) -> None:
        """Only when they have ended may others take their places here."""
        ended = [(self._couriers.pop(key), self._tasks.pop(key)) for key in keys]
        for _, task in ended:
            task.cancel()
        await asyncio.gather(*(task for _, task in ended), return_exceptions=True)
        broken = {courier: error for courier, task in ended if not task.cancelled() and isinstance(error := task.exception(), Exception)}
        # When a server is away all break, and one line is enough.
        for why, courier in {shown(error): courier for courier, error in broken.items()}.items():
            log.warning(
                "hook_stopped", hook=courier.hook.name, partition=courier.place.partition, why=why, todo="it begins again by itself"
            )

    async def _store(self) -> None:
        """How far those have come that found nothing to send."""
        for courier in self._couriers.values():
            window = self._newest.window(courier.place.partition)
            if courier.place.is_at_end and window is not None:
                courier.place.position = max(courier.place.position, window.end)
        idle = [each.place for each in self._couriers.values() if each.place.bounds is None]
        moved = {place.key: place.position for place in idle if self._stored.get(place.key) != place.position}
        await positions.look(self._tools.pool, [self._couriers[key].place for key in moved])
        self._stored |= moved
        self._stored_at = time.monotonic()

    def _tell(self) -> None:
        behind: Counter[tuple[int, str]] = Counter()
        for courier in self._couriers.values():
            window = self._newest.window(courier.place.partition)
            is_behind = window is not None and not courier.place.is_at_end
            behind[courier.hook.account, courier.hook.name] += window.end - courier.place.position if window and is_behind else 0
        metrics.HOOK_BEHIND.clear()
        for (account, name), records in behind.items():
            metrics.HOOK_BEHIND.labels(str(account), name).set(max(0, records))
