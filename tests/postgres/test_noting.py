"""What becomes of a batch whose publishing cannot be noted."""

import asyncio
from datetime import timedelta
from typing import cast

import pytest
from structlog.testing import capture_logs

from ingest.admission.budget import Budget, Share
from ingest.publish.fair_queue import FairQueue
from ingest.publish.producer import Producer
from ingest.publish.publication import Accepted, BatchPublisher
from ingest.sql.pool import open_pool
from schemas.settings import Settings


@pytest.mark.promise("P-OPS-15")
async def test_a_wrong_statement_costs_its_batch_and_is_not_tried_for_ever(settings: Settings) -> None:
    # There are no tables.
    with capture_logs() as logs:
        async with asyncio.timeout(20), open_pool(settings) as pool, asyncio.TaskGroup() as tasks:
            nobody = cast("Producer", None)
            publisher = BatchPublisher(pool, nobody, FairQueue(), timedelta(minutes=1), tasks)
            delivery = publisher.start(Accepted(b"a", 1, [], Share(Budget(1))))
            await publisher.drain()

    assert not delivery.noted.is_set()
    assert [(entry["event"], entry["log_level"], entry["batch"]) for entry in logs] == [("publishing_given_up", "error", "61")]
