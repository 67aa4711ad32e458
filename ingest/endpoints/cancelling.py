"""`campaigns/triggers/cancel`: takes launches back that are not begun."""

import asyncio
from dataclasses import dataclass
from typing import Self

import asyncpg
from pydantic import ConfigDict, Field, model_validator

from ingest.endpoints.parameters import SHOWN, Parameters, checked
from ingest.endpoints.repeats import answered_before, keep, reserve
from ingest.envelope import Answer, success
from ingest.http.call import Call
from ingest.request_errors import not_found
from ingest.sql import cancellable
from ingest.sql.pool import Pool
from schemas.ids import TriggerNumber, parse_id
from schemas.settings import Settings
from store.cancelling import Which, cancel

# Seconds within which a launcher that works on a group has read that it is cancelled.
KNOWN_WITHIN = 4.0


class CancelLaunches(Parameters):
    """Take back launches that were accepted before and are not begun: of one batch, of one campaign, or of one profile."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": SHOWN, "task_id": "019f3c1b2a4d5e6f70819205"}]})

    task_id: str | None = Field(None, description="All launches of a batch.")
    trigger_id: TriggerNumber | None = Field(None, description="All launches of a trigger campaign.")
    profile_id: str | None = Field(None, description="All launches for a profile.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(each is not None for each in (self.task_id, self.trigger_id, self.profile_id)) != 1:
            raise ValueError("exactly one of task_id, trigger_id and profile_id")
        return self


@dataclass(frozen=True)
class Cancel:
    """The endpoint; after its answer none of them begins."""

    settings: Settings
    pool: Pool

    async def answer(self, call: Call) -> Answer:
        request = checked(CancelLaunches, call.parameters())
        async with self.pool.acquire() as connection:
            answer, known = await self._done(connection, call, request)
        if not known:
            await asyncio.sleep(KNOWN_WITHIN)
        return answer

    async def _done(self, connection: asyncpg.Connection, call: Call, request: CancelLaunches) -> tuple[Answer, bool]:
        """The answer, and whether the launchers are sure to know already."""
        if (before := await answered_before(connection, call.identified)) is not None:
            # Whoever did it may be waiting for them yet, or have died while he did.
            return before, False
        which = await _which(connection, call.token.account, request)
        await reserve(connection, call.identified)
        cancelled = await cancel(connection, which)
        answer = success(data={"cancelled": cancelled.cancelled, "not_yet_scheduled": cancelled.not_yet_scheduled})
        # Not after the wait: of a gateway that dies in it a repeat would find no answer, and take back what was accepted since.
        await keep(connection, call.identified, answer, self.settings.request_id_kept)
        return answer, not cancelled.under_way


async def _which(connection: asyncpg.Connection, account: int, request: CancelLaunches) -> Which:
    """What is named, if it is the account's; refused else."""
    if request.trigger_id is not None:
        trigger = await cancellable.trigger(connection, account, request.trigger_id)
        if trigger is None:
            raise not_found("trigger_id")
        return Which(account, trigger=trigger)
    name = "task_id" if request.task_id is not None else "profile_id"
    id_ = parse_id(request.task_id or request.profile_id)
    exists = cancellable.batch if name == "task_id" else cancellable.profile
    if id_ is None or not await exists(connection, account, id_):
        raise not_found(name)
    return Which(account, batch=id_) if name == "task_id" else Which(account, profile=id_)
