"""Providers and hooks are let go on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from profuse import hooks, providers
from profuse.console.acting.deed import Advance, Done, Means, Plan, Scope, command, number
from runtime.errors import CannotRun
from schemas.settings import Settings


@dataclass(frozen=True)
class Resume:
    names = frozenset({"account", "name"})

    kind: str
    sentence: str
    resume: Callable[[Settings, str, int], Awaitable[Done]]

    async def plan(self, means: Means, scope: Scope) -> Plan:
        name, account = _one(scope)
        return Plan(
            title=f"Let {self.kind} {name} of account {account} go on",
            counted=None,
            things="",
            sentences=[self.sentence],
            button="Resume it",
            command=command(f"{self.kind}s", "resume", name, account=str(account)),
            scope=dict(scope),
        )

    async def run(self, means: Means, scope: Scope, advance: Advance) -> Done:
        done = await self.resume(means.settings, *_one(scope))
        advance(done.count)
        return done


def _one(scope: Scope) -> tuple[str, int]:
    account = number(scope, "account")
    if account is None or not scope.get("name"):
        raise CannotRun("Which one? Its account and its name say it.")
    return scope["name"], account


async def _provider(settings: Settings, name: str, account: int) -> Done:
    if not (found := await providers.resume(settings, name, account)):
        raise CannotRun(f"Account {account} has no provider {name}.")
    return Done(found, f"provider {name} is tried again with the next launch")


async def _hook(settings: Settings, name: str, account: int) -> Done:
    return Done(1, await hooks.resume(settings, name, account))


RESUME_PROVIDER = Resume("provider", "Launchers forget why they held it, and try it with the next launch.", _provider)
RESUME_HOOK = Resume("hook", "It goes on from where it stands; one that waits to be tried again is tried at once.", _hook)
