"""Launches are taken back."""

import asyncpg

from profuse import cancelling
from profuse.cancelling import Named
from profuse.console.acting.deed import Advance, Done, Means, Plan, Scope, command, number
from profuse.console.reading.counted import MOST, Counted


class Cancel:
    """Of one batch, of one trigger, or for one profile."""

    names = frozenset({"account", "batch", "trigger", "profile"})

    async def plan(self, means: Means, scope: Scope) -> Plan:
        counted = await _counted(means, _named(scope))
        sentences = ["A launch that has begun is not cancelled; one that is accepted before you press the button is."]
        if counted is None:
            sentences.append("There are too many to look through for this profile, so that nobody has counted them.")
        return Plan(
            title=f"Cancel the launches {_whose(scope)}",
            counted=counted,
            things="launches wait",
            sentences=sentences,
            button="Cancel them",
            command=command("launches", "cancel", *_batch(scope), **{name: scope.get(name) for name in ("account", "trigger", "profile")}),
            scope=dict(scope),
            is_final=True,
        )

    async def run(self, means: Means, scope: Scope, advance: Advance) -> Done:
        done = await cancelling.cancel(means.settings, _named(scope))
        advance(done.cancelled)
        said = f"{done.cancelled:,} launches are cancelled, {done.not_yet_scheduled:,} items on their way will be"
        if done.under_way:
            said += f"; {done.under_way:,} groups were being launched: what of them was not begun is cancelled, too"
        return Done(done.cancelled, said)


async def _counted(means: Means, named: Named) -> Counted | None:
    try:
        async with means.reads.acquire() as connection:
            foreseen = await cancelling.foresee(connection, named, MOST)
    except asyncpg.QueryCanceledError:
        return None
    return Counted(foreseen.launches, foreseen.is_all)


def _named(scope: Scope) -> Named:
    return cancelling.named(number(scope, "account"), scope.get("batch") or None, number(scope, "trigger"), scope.get("profile") or None)


def _batch(scope: Scope) -> list[str]:
    return [scope["batch"]] if scope.get("batch") else []


def _whose(scope: Scope) -> str:
    if scope.get("batch"):
        return f"of batch {scope['batch']}"
    if scope.get("trigger"):
        return f"of trigger {scope['trigger']}, account {scope.get('account', '')}"
    return f"for profile {scope.get('profile', '')}, account {scope.get('account', '')}"
