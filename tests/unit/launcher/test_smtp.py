"""The e-mail channel against real SMTP sessions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from schemas.settings import Settings
from tests.launching import NOBODY, File, campaign, enclosed, handed, knowing, launch, no_more
from workers.launcher.channels.channel import Deferred, Rejected, Unavailable
from workers.launcher.channels.email import connections
from workers.launcher.channels.email.connections import Calling
from workers.launcher.channels.email.smtp import Smtp
from workers.launcher.deliver.page import Page
from workers.launcher.model import Due, Ending, Outcome, Profile

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:aiosmtpd")


@dataclass
class Server:
    """An SMTP server; addresses choose what it answers."""

    port: int = 0
    utf8: bool = True
    sessions: int = 0
    accepted: list[Envelope] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    last: SMTP | None = None

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802
        if address.startswith("hang"):
            self.held.set()
            await asyncio.Event().wait()
        if address.startswith("drop"):
            self.hang_up()
        if address[:3].isdigit():
            return f"{address[:3]} <{address}> is not wanted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.accepted.append(envelope)
        return "250 OK"

    def session(self) -> SMTP:
        self.sessions += 1
        self.last = SMTP(self, enable_SMTPUTF8=self.utf8, loop=asyncio.get_running_loop())
        return self.last

    def hang_up(self) -> None:
        assert self.last is not None
        assert self.last.transport is not None
        self.last.transport.close()

    def mail(self) -> EmailMessage:
        content = self.accepted[-1].content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.SMTP)
        assert isinstance(mail, EmailMessage)
        return mail

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        server = await asyncio.get_running_loop().create_server(self.session, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        yield
        server.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    async with server.open():
        yield server


@asynccontextmanager
async def channel_to(server: Server) -> AsyncIterator[Smtp]:
    channel = Smtp(Settings(smtp=f"smtp://127.0.0.1:{server.port}", smtp_connections=2, mail_domain="mail.example"), Calling())
    yield channel
    await channel.close()
    # The other side of a closed connection is told in the next turns of the loop.
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.promise("P-LAUNCH-10")
async def test_a_mail_arrives_with_its_files(server: Server) -> None:
    async with channel_to(server) as channel:
        await handed(channel, launch("ann@example.com", subject="Hi", enclosed=enclosed(File())))

    assert (server.accepted[0].mail_from, server.accepted[0].rcpt_tos) == ("demo@example.com", ["ann@example.com"])
    assert (server.mail()["Subject"], [part.get_filename() for part in server.mail().iter_attachments()]) == ("Hi", ["Attach.txt"])


@pytest.mark.promise("P-LAUNCH-14")
async def test_what_cannot_be_rendered_or_composed_is_one_failure_each_and_no_neighbours_trouble(server: Server) -> None:
    values = ["Ann", object(), "x" * 10_001, "\ud800", "Bob", "Carl"]
    profiles = [
        Profile(NOBODY, {"email": "no address" if name == "Carl" else f"{at}@example.com", "name": name}) for at, name in enumerate(values)
    ]
    due = [Due(at, str(at), NOBODY, lambda each=each: each) for at, each in enumerate(profiles)]  # type: ignore[misc]
    page = Page(due, campaign(subject="Hi {lead.name}"), [], lambda: True)
    async with channel_to(server) as channel:
        async for _ in knowing({"email": channel}).send([page], no_more, asyncio.Event()):
            pass

    assert page.take().ended == {
        0: Outcome(Ending.SEND),
        1: Outcome(Ending.FAIL, "cannot be processed: TypeError"),
        2: Outcome(Ending.FAIL, "subject has more than 10000 characters"),
        3: Outcome(Ending.FAIL, "holds text that cannot be sent"),
        4: Outcome(Ending.SEND),
        5: Outcome(Ending.FAIL, "address cannot be used"),
    }
    assert sorted(envelope.rcpt_tos for envelope in server.accepted) == [["0@example.com"], ["4@example.com"]]


async def test_connections_are_kept(server: Server) -> None:
    async with channel_to(server) as channel:
        for _ in range(3):
            await handed(channel, launch())

    assert (len(server.accepted), server.sessions) == (3, 1)


async def test_a_broken_connection_is_replaced(server: Server) -> None:
    async with channel_to(server) as channel:
        await handed(channel, launch())
        with pytest.raises(Deferred):
            await handed(channel, launch("drop@example.com"))
        await handed(channel, launch())

    assert (len(server.accepted), server.sessions) == (2, 2)


async def test_a_server_that_hung_up_meanwhile_costs_no_mail(server: Server) -> None:
    async with channel_to(server) as channel:
        await handed(channel, launch())
        server.hang_up()
        async with asyncio.timeout(10):
            while channel._connections_to(None)._resting[0][0].is_connected:
                await asyncio.sleep(0)
        await handed(channel, launch())

    assert (len(server.accepted), server.sessions) == (2, 2)


async def test_a_connection_that_rested_too_long_is_replaced(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_FRESH", 0.0)
    async with channel_to(server) as channel:
        for _ in range(2):
            await handed(channel, launch())

    assert server.sessions == 2


@pytest.mark.promise("P-LAUNCH-14")
@pytest.mark.parametrize("code", [550, 552, 554])
async def test_a_recipient_that_is_refused_for_good_fails_with_the_servers_words(server: Server, code: int) -> None:
    async with channel_to(server) as channel:
        with pytest.raises(Rejected, match=f"^{code} <…> is not wanted$"):
            await handed(channel, launch(f"{code}@example.com"))


async def test_a_refusal_for_now_is_no_failure_and_names_nobody(server: Server) -> None:
    async with channel_to(server) as channel:
        with pytest.raises(Deferred, match=r"^SMTP 450$"):
            await handed(channel, launch("450@example.com"))


async def test_a_server_that_wants_a_password_fails_no_launch(server: Server) -> None:
    async with channel_to(server) as channel:
        with pytest.raises(Unavailable):
            await handed(channel, launch("530@example.com"))


async def test_the_next_mail_passes_after_a_refusal_on_the_same_connection(server: Server) -> None:
    async with channel_to(server) as channel:
        with pytest.raises(Rejected):
            await handed(channel, launch("550@example.com"))
        await handed(channel, launch())

    assert (len(server.accepted), server.sessions) == (1, 1)


async def test_a_server_that_is_away_is_unavailable() -> None:
    server = Server()
    async with server.open():
        pass
    async with channel_to(server) as channel:
        with pytest.raises(Unavailable):
            await handed(channel, launch())


async def test_a_server_that_lets_nobody_in_is_unavailable() -> None:
    def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 closed\r\n")
        writer.close()

    closed = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with closed, channel_to(Server(closed.sockets[0].getsockname()[1])) as channel:
        with pytest.raises(Unavailable):
            await handed(channel, launch())


async def test_a_connection_whose_mail_was_given_up_is_not_used_again(server: Server) -> None:
    async with channel_to(server) as channel:
        sending = asyncio.create_task(handed(channel, launch("hang@example.com")))
        await server.held.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await handed(channel, launch())

    assert (len(server.accepted), server.sessions) == (1, 2)


async def test_an_address_with_letters_of_any_script_arrives(server: Server) -> None:
    async with channel_to(server) as channel:
        await handed(channel, launch("jürgen@example.com"))

    assert server.accepted[0].rcpt_tos == ["jürgen@example.com"]


async def test_such_an_address_fails_where_the_server_cannot_take_it() -> None:
    server = Server(utf8=False)
    async with server.open(), channel_to(server) as channel:
        with pytest.raises(Rejected):
            await handed(channel, launch("jürgen@example.com"))
