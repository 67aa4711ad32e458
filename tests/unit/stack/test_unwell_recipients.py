"""The mail sink as a client of it sees it: over a real connection, on a port of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from profuse.stack.mail import MailSink
from profuse.stack.ports import free_port
from profuse.stack.readiness import until_ready
from profuse.stack.unwell_recipients import TROUBLES, trouble_of
from schemas.settings import Settings

Talk = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """A connection that has been greeted."""
    port, stop = free_port(), asyncio.Event()
    running = asyncio.create_task(MailSink(Settings(smtp=f"smtp://127.0.0.1:{port}"), tmp_path).run(stop))
    await until_ready(f"smtp://127.0.0.1:{port}")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    yield reader, writer
    writer.close()
    stop.set()
    await running


def kept(directory: Path) -> list[Path]:
    return list(directory.glob("*.eml"))


async def say(talk: Talk, *lines: str) -> bytes:
    """The answer to the last one; empty when the connection ended."""
    reader, writer = talk
    answer = b""
    for line in lines:
        writer.write(line.encode() + b"\r\n")
        answer = await reader.readline()
    return answer


@pytest.mark.promise("P-DOOR-19")
@pytest.mark.parametrize("name", [name for name, trouble in TROUBLES.items() if trouble.reply])
async def test_a_recipient_gets_the_reply_that_its_domain_asks_for(talk: Talk, name: str) -> None:
    answer = await say(talk, "HELO test", "MAIL FROM:<a@b.test>", f"RCPT TO:<ann@{name}.shop.sink.test>")

    assert answer.rstrip() == TROUBLES[name].reply


@pytest.mark.promise("P-DOOR-19")
async def test_a_recipient_that_recovers_is_accepted_the_second_time(talk: Talk) -> None:
    answer = await say(talk, "HELO test", "MAIL FROM:<a@b.test>", *2 * ["RCPT TO:<ann@recovers.sink.test>"])

    assert answer.startswith(b"250")


@pytest.mark.promise("P-DOOR-19")
async def test_a_mail_is_kept_whose_answer_never_comes(talk: Talk, tmp_path: Path) -> None:
    answer = await say(talk, "HELO test", "MAIL FROM:<a@b.test>", "RCPT TO:<ann@breaks.sink.test>", "DATA", "Subject: x\r\n\r\n.")

    assert answer == b""
    assert len(await asyncio.to_thread(kept, tmp_path)) == 1


@pytest.mark.promise("P-DOOR-19")
async def test_any_other_recipient_has_no_trouble(talk: Talk, tmp_path: Path) -> None:
    answer = await say(talk, "HELO test", "MAIL FROM:<a@b.test>", "RCPT TO:<refuses@sink.test>", "DATA", "Subject: x\r\n\r\n.")

    assert answer.startswith(b"250")
    assert len(await asyncio.to_thread(kept, tmp_path)) == 1


@pytest.mark.parametrize(
    ("address", "seconds"), [("a@slow.sink.test", 9), ("a@SLOW.x.Sink.test", 9), ("a@slow.test", 0), ("slow.sink.test@b.test", 0)]
)
def test_trouble_is_a_matter_of_the_domain(address: str, seconds: float) -> None:
    assert trouble_of(address).after_dot == seconds
