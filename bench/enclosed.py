"""What a launcher holds while groups with as many files as a request may have are due at once, as the kernel counted it."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import asyncpg
import httpx

from bench.account import FILE, TOKEN, TRIGGER
from bench.stack import Stack, running
from bench.worst import most_of
from profuse.stack import state
from schemas.settings import MIB

_PROFUSE = str(Path(sys.executable).with_name("profuse"))
_PATH = "/api/v1.1/campaigns/triggers/import_and_start_batch_task"
_ACCOUNTS = 4
_GROUPS = 8
_FILES = 3
# Decoded, of all files of a group; as base64 it is as much as a body may have.
_BYTES = 75 * 1000 * 1000
_LIMIT = 600

_ALL_SCHEDULED = "SELECT count(*) = $1 FROM profuse.launches"
_DUE = "UPDATE profuse.launches SET run_at = now(), due_at = now()"
_SENT = "SELECT count(*) FROM profuse.launches WHERE launched = 1 AND finished_at IS NOT NULL"


def _account(number: int) -> str:
    return FILE.replace('id = 1\nname = "bench"', f'id = {number}\nname = "bench"').replace(TOKEN, _token(number))


def _token(number: int) -> str:
    return f"{TOKEN}-{number}"


def _body(group: int) -> str:
    data = "A" * (_BYTES // _FILES // 3 * 4)
    files = ",".join(f'{{"name":"{at}.bin","data":"data:application/pdf;base64,{data}"}}' for at in range(_FILES))
    email = f"{group}@bench.test"
    item = f'{{"data":{{"email":"{email}","subscriptions":[{{"resource_id":24,"email":"{email}"}}]}}}}'
    known = f'"token":"{_token(group % _ACCOUNTS + 2)}","trigger_id":{TRIGGER},"timeout":{{"days":1}}'
    return f'{{{known},"data":[{item}],"attach":[{files}]}}'


async def _measured(stack: Stack, launcher: Path) -> tuple[int, float]:
    """MiB, and seconds until all were sent."""
    async with httpx.AsyncClient(timeout=300) as client:
        for group in range(_GROUPS):
            (await client.post(stack.api + _PATH, content=_body(group))).raise_for_status()
    async with asyncpg.create_pool(stack.postgres, min_size=0) as pool:
        while not await pool.fetchval(_ALL_SCHEDULED, _GROUPS):
            await asyncio.sleep(0.1)
        (launcher / "clear_refs").write_text("5")
        began = time.monotonic()
        await pool.execute(_DUE)
        while await pool.fetchval(_SENT) < _GROUPS:
            await asyncio.sleep(0.1)
    return most_of(launcher), time.monotonic() - began


def main() -> int:
    with running() as stack:
        for number in range(2, _ACCOUNTS + 2):
            subprocess.run([_PROFUSE, "apply", str(_written(stack, number)), "--dir", str(stack.directory)], check=True)
        mib, seconds = asyncio.run(_measured(stack, _launcher(stack)))
    print(f"{_GROUPS} groups of {_ACCOUNTS} accounts, {_BYTES // MIB} MiB of files each: {mib} MiB at most, sent in {seconds:.0f} s")
    return 1 if mib > _LIMIT else 0


def _launcher(stack: Stack) -> Path:
    found = state.read(stack.directory)
    return Path("/proc", next(str(each.identity.pid) for each in found.processes if each.name == "launcher-1")) if found else Path()


def _written(stack: Stack, number: int) -> Path:
    file = stack.directory.parent / f"{number}.toml"
    file.write_text(_account(number))
    return file


if __name__ == "__main__":
    sys.exit(main())
