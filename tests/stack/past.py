"""A stack that has lived until its database was lost, and the dump that is left of it."""

import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from profuse.stack.postgres import PROGRAMS
from tests.stack.batches import Batch, send, sending, wait_for
from tests.stack.door import Door, wait_until
from tests.stack.producer import running

SIZE = 20
FEW = 5


@dataclass(frozen=True)
class Past:
    """A stack whose rooms are stopped, a dump of its database, and what its producers were told."""

    door: Door
    dump: Path
    # Launched; scheduled in an hour; matched and not scheduled; accepted and not matched: at the moment of the dump.
    finished: Batch
    pending: Batch
    matched: Batch
    accepted: Batch
    # Sent while the dump was made, and after it.
    sent: list[Batch]

    @property
    def prefix(self) -> str:
        return self.door.environment["PROFUSE_PREFIX"]


def lived(door: Door, dump: Path) -> Past:
    wait_for(door, finished := send(door, "finished", SIZE), "launched")
    wait_for(door, pending := send(door, "pending", SIZE, timeout={"hours": 1}), "scheduled")
    door.up("--launchers", "0")
    wait_for(door, matched := send(door, "matched", SIZE), "imported")
    door.up("--matchers", "0")
    accepted = send(door, "accepted", SIZE)
    with sending(door, "sent", FEW) as sent:
        wait_until(lambda: len(sent) > FEW)
        program("pg_dump", running(door).postgres, "--format=custom", f"--schema={door.environment['PROFUSE_PREFIX']}", f"--file={dump}")
        before = len(sent)
        wait_until(lambda: len(sent) > before + FEW)
    door.up("--matchers", "1", "--launchers", "1")
    for batch in (matched, accepted, *sent):
        wait_for(door, batch, "launched")
    door.up("--gateways", "0", "--matchers", "0", "--launchers", "0")
    return Past(door, dump, finished, pending, matched, accepted, sent)


def program(name: str, postgres: str, *arguments: str) -> None:
    subprocess.run([str(PROGRAMS / name), f"--dbname={postgres}", *arguments], check=True, capture_output=True, text=True)


def restored(past: Past, server: str, directory: Path, kafka: str) -> Door:
    """A door to the dump in a database of its own."""
    name = f"{past.prefix}_{secrets.token_hex(3)}"
    program("psql", server, "--command", f"CREATE DATABASE {name}")
    database = f"{server.rpartition('/')[0]}/{name}"
    program("pg_restore", database, "--exit-on-error", str(past.dump))
    return Door(directory, past.door.environment | {"PROFUSE_KAFKA": kafka, "PROFUSE_POSTGRES": database})
