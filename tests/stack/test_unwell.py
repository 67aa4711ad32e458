"""A process that runs and does nothing any more is as dead as one that has ended."""

import asyncio
import sys
from pathlib import Path

import pytest

from profuse.plain_http import plain_client
from profuse.stack import wellness
from profuse.stack.child import Process, bare
from profuse.stack.keeper import Keeper
from profuse.stack.ports import LOOPBACK, free_port

SERVER = """
import http.server, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2])); self.end_headers(); self.wfile.write(b"it stands still")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""


@pytest.mark.promise("P-DOOR-24")
@pytest.mark.parametrize(("answers", "is_killed"), [("503", True), ("200", False)])
async def test_a_process_that_says_for_a_minute_that_it_stands_still_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: str, is_killed: bool
) -> None:
    monkeypatch.setattr(wellness, "LOOK_EVERY", 0.1)
    said: list[str] = []
    changes = asyncio.Queue[None]()
    port = free_port()
    process = Process("idler", "idler", (sys.executable, "-c", SERVER, str(port), answers), f"http://{LOOPBACK}:{port}")
    with Keeper(tmp_path, said.append, lambda: changes.put_nowait(None)) as keeper:
        first = keeper.keep(process)
        await changes.get()
        if is_killed:
            async with asyncio.timeout(60):
                await changes.get()
        else:
            await wellness_of(process.url)
        again = keeper.children[0]
        await keeper.stop(["idler"], 1)

    assert (again.pid != first.pid) == is_killed
    assert any(line.startswith("idler has not been well for a minute and is killed: ") for line in said) == is_killed


async def wellness_of(url: str) -> None:
    """As many looks as would be a minute."""
    for _ in range(2 * wellness.LOOKS):
        await asyncio.sleep(wellness.LOOK_EVERY)
    async with plain_client() as client:
        assert await wellness._problems(client, url) == ""


@pytest.mark.promise("P-DOOR-03")
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("    | KeyError: 'x'", "KeyError: 'x'"),
        ("    +------------------------------------", ""),
        ("  +-+---------------- 1 ----------------", "1 ----------------"),
        ("launcher stops: Kafka is away", "launcher stops: Kafka is away"),
        ('{"event": "room_stopped"}', '{"event": "room_stopped"}'),
    ],
)
def test_the_last_words_of_a_process_are_its_exception_and_not_the_frame_around_it(line: str, says: str) -> None:
    assert bare(line) == says
