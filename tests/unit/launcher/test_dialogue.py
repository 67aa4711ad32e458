"""What a mail server may do in the middle of a dialogue, against real sessions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from schemas.settings import Settings
from tests.launching import handed, launch
from workers.launcher.channels.channel import SERVER, Deferred, Rejected, Unavailable
from workers.launcher.channels.email import connections, dialogue
from workers.launcher.channels.email.connections import Calling
from workers.launcher.channels.email.smtp import Smtp


@dataclass
class Scripted:
    """A server that answers what a test says; the number of a session is its place in the order of connections."""

    answers: dict[str, bytes] = field(default_factory=dict)
    # More sessions than that are refused; None: all are welcome.
    most: int | None = None
    # A refusal waits for it.
    refuses: asyncio.Event | None = None
    port: int = 0
    open: int = 0
    seen: list[str] = field(default_factory=list)
    taken: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        if self.most is not None and self.open >= self.most:
            if self.refuses is not None:
                await self.refuses.wait()
            writer.write(b"421 too many connections\r\n")
            writer.close()
            return
        self.open += 1
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line.split()[0].decode()
            self.seen.append(word)
            writer.write(self.answers.get(word, b"250 go on\r\n" if word != "DATA" else b"354 go on\r\n"))
            if word == "DATA" and self.answers.get(word, b"354").startswith(b"3"):
                await reader.readuntil(b"\r\n.\r\n")
                if (answer := self.answers.get(".", b"250 taken\r\n")) == b"":
                    break
                self.taken += answer.startswith(b"2")
                writer.write(answer)
        self.open -= 1
        writer.close()

    @asynccontextmanager
    async def channel(self, connections: int = 4) -> AsyncIterator[Smtp]:
        server = await asyncio.start_server(self.session, "127.0.0.1", 0)
        url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        channel = Smtp(Settings(smtp=url, smtp_connections=connections, mail_domain="mail.test"), Calling())
        async with server:
            yield channel
            await channel.close()
            for writer in self.writers:
                writer.close()
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.mark.promise("P-LAUNCH-30")
@pytest.mark.parametrize("word", ["EHLO", "MAIL"])
async def test_who_lets_no_mail_begin_refuses_no_recipient(word: str) -> None:
    server = Scripted({word: b"554 not you\r\n", "HELO": b"554 not you\r\n"})
    async with server.channel() as channel:
        with pytest.raises(Unavailable) as caught:
            await handed(channel, launch())

    assert (caught.value.place == SERVER) is (word == "EHLO")


@pytest.mark.promise("P-LAUNCH-30")
async def test_one_connection_too_many_stops_none_of_the_others() -> None:
    server = Scripted(most=2)
    async with server.channel(connections=16) as channel:
        await asyncio.gather(*[handed(channel, launch()) for _ in range(2)])
        await asyncio.gather(*[handed(channel, launch()) for _ in range(12)])

    assert server.taken == 14


@pytest.mark.promise("P-LAUNCH-30")
async def test_who_waits_for_a_connection_asks_again_though_those_that_are_out_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_HUMBLE", 0.1)
    server = Scripted(most=1)
    async with server.channel() as channel, asyncio.timeout(20):
        await channel._connections_to(None).lend()
        waiting = asyncio.create_task(handed(channel, launch()))
        while len(server.writers) < 2:
            await asyncio.sleep(0)
        server.most = 2
        await waiting

    assert server.taken == 1


@pytest.mark.promise("P-LAUNCH-30")
async def test_a_server_that_was_away_is_no_server_that_bears_few() -> None:
    """Several knock while nobody is there; when it is back, one that hangs keeps nobody waiting."""
    server = Scripted({"RCPT": b""})
    async with server.channel() as channel, asyncio.timeout(20):
        server.most = 0
        found = await asyncio.gather(*[handed(channel, launch()) for _ in range(4)], return_exceptions=True)
        assert {type(each) for each in found} == {Unavailable}
        server.most = None
        hanging = asyncio.create_task(handed(channel, launch()))
        while "RCPT" not in server.seen:
            await asyncio.sleep(0)
        server.answers.clear()
        await handed(channel, launch())
        hanging.cancel()

    assert server.taken == 1


@pytest.mark.promise("P-LAUNCH-30")
async def test_a_limit_is_forgotten_with_the_last_of_those_who_met_it() -> None:
    server = Scripted(most=1)
    async with server.channel() as channel, asyncio.timeout(20):
        one = await channel._connections_to(None).lend()
        waiting = asyncio.create_task(handed(channel, launch()))
        while not channel._connections_to(None)._waiting:
            await asyncio.sleep(0)
        server.most = None
        one.close()
        channel._connections_to(None).give_back(one)
        await waiting
        # Side by side: whoever is still humble has one at most.
        both = [await channel._connections_to(None).lend() for _ in range(2)]
        for each in both:
            channel._connections_to(None).give_back(each)

    assert server.taken == 1


@pytest.mark.promise("P-LAUNCH-30")
async def test_whoever_is_refused_takes_what_was_given_back_meanwhile() -> None:
    server = Scripted(most=1, refuses=asyncio.Event())
    async with server.channel() as channel, asyncio.timeout(20):
        one = await channel._connections_to(None).lend()
        waiting = asyncio.create_task(handed(channel, launch()))
        while len(server.writers) < 2:
            await asyncio.sleep(0)
        channel._connections_to(None).give_back(one)
        assert server.refuses is not None
        server.refuses.set()
        await waiting

    assert server.taken == 1


@pytest.mark.promise("P-LAUNCH-30")
async def test_a_server_that_says_there_are_too_many_is_asked_for_one_at_a_time() -> None:
    server = Scripted()
    async with server.channel() as channel, asyncio.timeout(20):
        connections_ = channel._connections_to(None)
        last = await connections_.lend()
        last.close()
        connections_.broken(crowded=True)
        connections_.give_back(last)
        only = await connections_.lend()
        next_ = asyncio.create_task(connections_.lend())
        while not connections_._waiting:
            await asyncio.sleep(0)
        connections_.give_back(only)

        assert await next_ is only

        connections_.give_back(only)


@pytest.mark.promise("P-LAUNCH-28")
async def test_a_connection_that_ends_after_the_last_byte_leaves_a_doubt() -> None:
    async with Scripted({".": b""}).channel() as channel:
        with pytest.raises(Deferred) as caught:
            await handed(channel, launch())

    assert caught.value.in_doubt


@pytest.mark.promise("P-LAUNCH-28")
async def test_a_mail_that_is_refused_before_its_last_byte_leaves_none() -> None:
    async with Scripted({"DATA": b"451 later\r\n"}).channel() as channel:
        with pytest.raises(Deferred) as caught:
            await handed(channel, launch())

    assert not caught.value.in_doubt


@pytest.mark.promise("P-LAUNCH-28", "P-LAUNCH-29")
async def test_a_server_that_never_answers_the_last_byte_is_left_in_doubt_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = dialogue._FINAL
    monkeypatch.setattr(dialogue, "_FINAL", 0.1)
    async with Scripted({".": b"250-not yet\r\n"}).channel() as channel:
        with pytest.raises(Deferred) as caught:
            await handed(channel, launch())

    assert caught.value.in_doubt
    assert patience == 600


@pytest.mark.promise("P-LAUNCH-14")
async def test_a_reply_that_is_not_utf_8_is_told_in_the_servers_words() -> None:
    async with Scripted({"RCPT": b"550 5.1.1 acc\xe8s refus\xe9\r\n"}).channel() as channel:
        with pytest.raises(Rejected, match=r"^550 5\.1\.1 accès refusé$"):
            await handed(channel, launch())


@pytest.mark.promise("P-LAUNCH-47")
@pytest.mark.parametrize(
    ("word", "answer"),
    [("MAIL", "200 ok"), ("RCPT", "252 will try"), ("RCPT", "221 soon"), ("DATA", "399 go on"), (".", "200"), (".", "252 ok")],
)
async def test_a_yes_is_a_yes_by_its_first_digit(word: str, answer: str) -> None:
    server = Scripted({word: answer.encode() + b"\r\n"})
    async with server.channel() as channel:
        await handed(channel, launch())

    assert server.taken == 1


@pytest.mark.promise("P-LAUNCH-47")
@pytest.mark.parametrize(("word", "code"), [("RCPT", 354), ("RCPT", 199), ("DATA", 250), (".", 354)])
async def test_what_is_no_yes_there_is_for_later(word: str, code: int) -> None:
    server = Scripted({word: b"%d what\r\n" % code})
    async with server.channel() as channel:
        with pytest.raises(Deferred, match=f"SMTP {code}") as caught:
            await handed(channel, launch())

    assert server.taken == 0
    assert caught.value.in_doubt is (word == ".")
