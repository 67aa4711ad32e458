"""Dead letters are sent again, or given up."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from profuse import dead_letters
from profuse.console.acting.deed import Advance, Done, Means, Plan, Scope, command, moment
from profuse.console.reading.counted import MOST, Counted, bounded
from profuse.dead_letters import Wanted
from schemas.settings import Settings

_NAMES = frozenset({"id", "batch", "topic", "reason", "contains", "all", "until"})
# What becomes of the last ones is seen on the page, too.
_WAIT = timedelta(seconds=5)


class Replay:
    names = _NAMES

    async def plan(self, means: Means, scope: Scope) -> Plan:
        wanted, scope = await _as_of_now(means, scope)
        return Plan(
            title=f"Send dead letters again: {_which(scope)}",
            counted=await _count(means, dead_letters.unreplayed(wanted)),
            things="dead letters",
            sentences=[
                "Each is published as it was, and its item is answered anew; how often it is sent, it counts once.",
                "Those that were sent again before are left out, unless one is named by its id.",
            ],
            button="Send them again",
            command=_command("replay", scope),
            scope=scope,
        )

    async def run(self, means: Means, scope: Scope, advance: Advance) -> Done:
        found = await dead_letters.replay(means.settings, _wanted(means.settings, scope), _WAIT, advance)
        fates = Counter(letter.fate for letter in found)
        became = ", ".join(f"{count:,} {fate}" for fate, count in sorted(fates.items()))
        return Done(len(found), f"{len(found):,} were sent again{f': {became}' if became else ''}")


class Drop:
    names = _NAMES

    async def plan(self, means: Means, scope: Scope) -> Plan:
        wanted, scope = await _as_of_now(means, scope)
        return Plan(
            title=f"Give up dead letters: {_which(scope)}",
            counted=await _count(means, wanted),
            things="dead letters",
            sentences=[
                "They are deleted for good; their items keep the answers that they have, or have failed where a replay broke off.",
            ],
            button="Drop them for good",
            command=_command("drop", scope),
            scope=scope,
            is_final=True,
        )

    async def run(self, means: Means, scope: Scope, advance: Advance) -> Done:
        dropped = await dead_letters.delete(means.settings, _wanted(means.settings, scope), advance)
        return Done(dropped, f"{dropped:,} were dropped")


async def _as_of_now(means: Means, scope: Scope) -> tuple[Wanted, Scope]:
    """What is counted is what is meant: a letter that comes later is another one's decision."""
    # In every digit of it, or the newest one would be later.
    now: datetime = await means.reads.fetchval("SELECT now()")
    scope = {**scope, "until": now.isoformat()}
    return _wanted(means.settings, scope), scope


async def _count(means: Means, wanted: Wanted) -> Counted:
    return bounded(await dead_letters.count(means.settings, wanted, MOST + 1, means.reads))


def _wanted(settings: Settings, scope: Scope) -> Wanted:
    ids = [scope["id"]] if scope.get("id") else []
    batch, topic, contains = (scope.get(name) or None for name in ("batch", "topic", "contains"))
    exact = scope.get("reason")
    everything = scope.get("all") == "yes"
    wanted = dead_letters.wanted(settings, ids, batch, contains, topic, None, None, exact_reason=exact, everything=everything)
    # Which the plan has written, so that it alone does not say which of them.
    return replace(wanted, until=moment(scope, "until"))


def _which(scope: Scope) -> str:
    if scope.get("id"):
        return scope["id"]
    said = [
        f"{label} {scope[name]!r}"
        for name, label in (("topic", "of"), ("batch", "batch"), ("reason", "reason"), ("contains", "reasons with"))
        if scope.get(name)
    ]
    return ", ".join(said) or "all of them"


def _command(verb: str, scope: Scope) -> str:
    if scope.get("id"):
        return command("dead-letters", verb, scope["id"])
    chosen = {"batch": scope.get("batch"), "topic": scope.get("topic"), "reason": scope.get("contains")}
    exact = ["--exact-reason", scope["reason"]] if "reason" in scope else []
    words = exact or ([] if any(chosen.values()) else ["--all"])
    return command("dead-letters", verb, *words, **chosen, until=scope["until"])
