"""`tasks/status`: how far a batch has come."""

from dataclasses import dataclass

from pydantic import ConfigDict, Field

from ingest.endpoints.parameters import SHOWN, Parameters, checked
from ingest.envelope import Answer, success
from ingest.http.call import Call
from ingest.request_errors import not_found
from ingest.sql import results
from ingest.sql.pool import Pool
from schemas.ids import parse_id
from schemas.settings import Settings


class GetTaskStatus(Parameters):
    """Progress and result of a batch."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": SHOWN, "task_id": "019f3c1b2a4d5e6f70819205"}]})

    task_id: str = Field(description="24 hex digits, as the request of the batch was answered.")
    # Named `from` in the request.
    start: int = Field(0, ge=0, alias="from", description="The first item to show.")
    limit: int = Field(10_000, ge=0, description="How many items to show.")


@dataclass(frozen=True)
class ShowTaskStatus:
    """The endpoint; it only reads."""

    settings: Settings
    pool: Pool

    async def answer(self, call: Call) -> Answer:
        request = checked(GetTaskStatus, call.parameters())
        batch = parse_id(request.task_id)
        if batch is None:
            raise not_found("task_id")
        async with self.pool.acquire() as connection:
            total = await results.total(connection, call.token.account, batch)
        stop = min(request.start + request.limit, total or 0)
        # Before a connection is taken: whoever waits for room keeps none from the others.
        await call.share.grow(call.share.size + max(stop - request.start, 0) * results.SIZE_OF_ENTRY)
        # One moment for all of it, or the items would tell more than the counts.
        snapshot = {"isolation": "repeatable_read", "readonly": True}
        async with self.pool.acquire() as connection, connection.transaction(**snapshot):
            status = await results.status(connection, call.token.account, batch, self.settings.incomplete_after)
            if status is None:
                raise not_found("task_id")
            items = await results.entries(connection, batch, request.start, stop)
        counts = {"total": status.total, "imported": status.imported, "failed": status.failed}
        return success(
            data={
                "task_id": batch.hex(),
                "status": status.word,
                "progress": status.progress,
                "result": counts | status.launches | {"items": items},
            }
        )
