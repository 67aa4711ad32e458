"""Launches that failed run again."""

from dataclasses import replace
from datetime import datetime

import asyncpg

from profuse import failures
from profuse.console.acting.deed import Advance, Done, Means, Plan, Scope, command, moment, number
from profuse.console.reading.counted import MOST, Counted, bounded
from runtime.errors import CannotRun
from store.failures import Wanted


class RunAgain:
    """All that match; each is a new run, with all its attempts."""

    names = frozenset({"account", "trigger", "batch", "reason", "until"})

    async def plan(self, means: Means, scope: Scope) -> Plan:
        now: datetime = await means.reads.fetchval("SELECT now()")
        scope = {**scope, "until": now.isoformat()}
        counted = await _counted(means, _wanted(scope))
        sentences = ["Each is tried anew, now, with all its attempts; a reader who got the message all the same may get it twice."]
        if counted is None:
            sentences.append("There are too many failures to look through, so that nobody has counted them.")
        said = ", ".join(f"{name} {scope[name]}" for name in ("account", "trigger", "batch", "reason") if scope.get(name))
        return Plan(
            title=f"Run failed launches again: {said}",
            counted=counted,
            things="failed launches",
            sentences=sentences,
            button="Run them again",
            command=command("launches", "replay", **{name: scope.get(name) for name in ("batch", "account", "trigger", "reason", "until")}),
            scope=scope,
        )

    async def run(self, means: Means, scope: Scope, advance: Advance) -> Done:
        done = await failures.replay(means.settings, _wanted(scope), advance)
        return Done(done, f"{done:,} launches run again")


async def _counted(means: Means, wanted: Wanted) -> Counted | None:
    try:
        return bounded(await failures.count(means.settings, wanted, MOST + 1, means.reads))
    except asyncpg.QueryCanceledError:
        return None


def _wanted(scope: Scope) -> Wanted:
    wanted = failures.wanted(scope.get("batch") or None, number(scope, "account"), number(scope, "trigger"), scope.get("reason") or None)
    if wanted == failures.ALL:
        raise CannotRun("Which of them? Name a batch, an account or a trigger.")
    return replace(wanted, until=moment(scope, "until"))
