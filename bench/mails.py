"""Mails of single launches and of batches, by a launcher for each core, beside a bare loop, all into Postfix's `smtp-sink`."""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from urllib.parse import urlsplit

import aiosmtplib

from bench.client import CannotMeasure
from bench.due import GROUP, Due
from bench.run import Measured, Run
from bench.serving import listening
from bench.stack import LAUNCHERS
from bench.targets import ratio
from profuse.applying import apply
from profuse.stack.ports import LOOPBACK, free_port
from profuse.torture.blocks import message, trigger

_MAIL = 4
_GROUPS = 4
# Each side sends as many.
_MAILS = _GROUPS * GROUP
_BACKLOG = "100"
# Debian keeps it where only root looks.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/libexec/postfix"

# Without a resource a mail goes to the profile's own address.
_WAY = f"""
[[accounts]]
id = 1
name = "bench"
{trigger(_MAIL, "Mailed", "", message("bench", "Hello {lead.email}", "Hello {lead.email}"))}"""
# As large as such a mail is with all its headers.
_LINES = "\r\n".join(["x" * 70] * 8)
_CONTENT = f"From: sender@bench.test\r\nTo: 1@bench.test\r\nSubject: Hello\r\n\r\n{_LINES}\r\n".encode()


@contextmanager
def sinking() -> Iterator[dict[str, str]]:
    """The settings by which launchers mail into the sink; none where it is missing."""
    sink = shutil.which("smtp-sink", path=_PATH)
    if sink is None:
        yield {}
        return
    port = free_port()
    # It refuses to be root.
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    # It warns of each connection that rests.
    with listening([sink, *user, f"{LOOPBACK}:{port}", _BACKLOG], port, quiet=True):
        yield {"PROFUSE_SMTP": f"smtp://{LOOPBACK}:{port}"}


async def measured(run: Run) -> Measured:
    if shutil.which("smtp-sink", path=_PATH) is None:
        raise CannotMeasure("there is no smtp-sink (Debian: apt install postfix)")
    await apply(run.settings, _WAY)
    due = Due(run.pool, _MAIL)
    # One account has half of each launcher's.
    connections = run.settings.smtp_connections // 2 * LAUNCHERS
    turns = []
    with run.stack.launching(LAUNCHERS):
        # Round 0 warms up.
        for take in range(run.rounds + 1):
            turn = await due.rate(_MAILS, 1), await due.rate(_GROUPS, GROUP), await _bare(run.settings.smtp, connections)
            if take:
                turns.append(turn)
    singles, batches, bare = map(median, zip(*turns, strict=True))
    return Measured({"mail": {"singles": ratio(singles, bare), "batches": ratio(batches, bare)}})


async def _bare(url: str, connections: int) -> float:
    address, left = urlsplit(url), iter(range(_MAILS))

    async def send() -> None:
        async with aiosmtplib.SMTP(hostname=address.hostname, port=address.port) as client:
            for number in left:
                await client.sendmail("sender@bench.test", [f"{number}@bench.test"], _CONTENT)

    began = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(connections)))
    return _MAILS / (time.perf_counter() - began)
