"""What a launcher holds while groups with as many files as a request may have are due at once, as the kernel counted it."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import asyncpg

from bench.account import FILE, TASK_PATH, TOKEN, TRIGGER
from bench.peaks import LIMIT, forget_peak, most_of, processes
from bench.stack import Stack, running
from profuse.plain_http import plain_client
from schemas.settings import MIB

_PROFUSE = str(Path(sys.executable).with_name("profuse"))
_ACCOUNTS = 4
_GROUPS = 8
_FILES = 3
# Decoded, of all files of a group; as base64 it is as much as a body may have.
_BYTES = 75 * 1000 * 1000

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
    async with plain_client(timeout=300) as client:
        for group in range(_GROUPS):
            (await client.post(stack.api + TASK_PATH, content=_body(group))).raise_for_status()
    async with asyncpg.create_pool(stack.postgres, min_size=0) as pool:
        while not await pool.fetchval(_ALL_SCHEDULED, _GROUPS):
            await asyncio.sleep(0.1)
        forget_peak(launcher)
        began = time.monotonic()
        await pool.execute(_DUE)
        while await pool.fetchval(_SENT) < _GROUPS:
            await asyncio.sleep(0.1)
    return most_of(launcher), time.monotonic() - began


def main() -> int:
    with running() as stack:
        (launcher,) = processes(stack, "launcher")
        for number in range(2, _ACCOUNTS + 2):
            subprocess.run([_PROFUSE, "apply", str(_written(stack, number)), "--dir", str(stack.directory)], check=True)
        mib, seconds = asyncio.run(_measured(stack, launcher))
    print(f"{_GROUPS} groups of {_ACCOUNTS} accounts, {_BYTES // MIB} MiB of files each: {mib} MiB at most, sent in {seconds:.0f} s")
    return 1 if mib > LIMIT else 0


def _written(stack: Stack, number: int) -> Path:
    file = stack.directory.parent / f"{number}.toml"
    file.write_text(_account(number))
    return file


if __name__ == "__main__":
    sys.exit(main())
