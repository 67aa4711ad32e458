"""Records on the broker: which are processed, and the end of those that are."""

import time
from datetime import timedelta

import asyncpg

from runtime import broker
from runtime.kafka import BrokerUnavailable
from schemas.settings import Settings
from schemas.topics import IMPORTS
from store.positions import positions

# How far a gateway's clock, which records carry, may be from the database's.
_CLOCKS_DIFFER = timedelta(hours=1)


async def delete(connection: asyncpg.Connection, settings: Settings) -> int:
    # The record that was processed last tells its topic from one that was made anew.
    below = {partition: position - 1 for partition, position in (await positions(connection)).items()}
    return await broker.delete_records(settings, below, time.time() - settings.records_kept.total_seconds())


async def caught_up(connection: asyncpg.Connection, settings: Settings) -> bool:
    """Whether matchers have processed all that was published before the batches that are old now were given up."""
    theirs = {each: at for each, at in (await positions(connection)).items() if each[0] == settings.topic(IMPORTS.name)}
    kept = settings.batch_kept
    before = time.time() - (kept - min(_CLOCKS_DIFFER, kept / 2)).total_seconds()
    try:
        return not theirs or await broker.caught_up(settings, theirs, before)
    except BrokerUnavailable:
        # Only what was never published whole has to wait for it.
        return False
