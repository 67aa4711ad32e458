"""Reads the world after the torture: tables, events, mails, logs."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from profuse.torture.account import ACCOUNT
from profuse.torture.model import Request
from profuse.torture.observing import tables
from profuse.torture.observing.events import told
from profuse.torture.observing.logs import suspect_lines
from profuse.torture.verdict.seen import Mail, Observed
from schemas.settings import Settings


async def observe(settings: Settings, directory: Path, requests: Sequence[Request], mails: Sequence[Mail]) -> Observed:
    """What is of the account that is counted; `mails` are its own."""
    async with tables.open_tables(settings) as connection:
        batches, strays = await tables.batches(connection)
        profiles = await tables.profiles(connection)
        letters = await tables.dead_letters(connection)
        campaigns = await tables.campaigns(connection)
    by_batch = {batch.id.hex(): request for request in requests if (batch := batches.get(request.id))}
    return Observed(
        batches=batches,
        strays=strays,
        profiles=profiles,
        dead_letters=letters,
        mails=mails,
        events=await told(settings, ACCOUNT, by_batch),
        log_lines=await asyncio.to_thread(lambda: list(suspect_lines(directory / "log"))),
        campaigns=campaigns,
    )
