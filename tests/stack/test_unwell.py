"""A process that runs and does nothing any more is as dead as one that has ended."""

import asyncio
import sys
from pathlib import Path

import pytest

from profuse.plain_http import plain_client
from profuse.stack import wellness
from profuse.stack.child import Child, Process, bare
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


@pytest.mark.promise("P-DOOR-03")
async def test_a_process_that_cannot_be_started_again_is_tried_until_it_can(tmp_path: Path) -> None:
    said, changes = asyncio.Queue[str](), asyncio.Queue[None]()
    program = tmp_path / "program"
    program.symlink_to("/bin/cat")
    with Keeper(tmp_path, said.put_nowait, lambda: changes.put_nowait(None)) as keeper:
        first = keeper.keep(Process("cat", "cat", (str(program), "/dev/zero"), ""))
        await changes.get()
        program.unlink()
        first.kill()
        async with asyncio.timeout(20):
            while "cannot be started" not in await said.get():
                pass
            program.symlink_to("/bin/cat")
            await changes.get()
        assert not keeper.children[0].has_ended()
        await keeper.stop(["cat"], 1)


def test_the_last_words_of_a_long_log_are_its_last(tmp_path: Path) -> None:
    said = Child(Process("quiet", "quiet", ("/bin/true",), ""), tmp_path / "log")
    said.wait(5)
    said.log.write_text("first\n" + "я" * 1_000_001 + "\nlast\n\n")

    assert said.last_words() == "last"


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
