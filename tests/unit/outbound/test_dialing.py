"""Names whose servers do not answer, and the others beside them; and connections to whom an account names."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from aiohttp.resolver import AsyncResolver

from runtime.outbound.posting import NotSent
from runtime.outbound.reach import Denied, Reach
from tests import serving as tcp
from tests.calling import dialer, poster
from tests.unit.outbound.test_posting import answering, serving

GOOD = answering(b"HTTP/1.1 204 No Content\r\n\r\n")
MANY = 200


class Silent(asyncio.DatagramProtocol):
    """A name server that hears what it is asked, and says nothing."""

    def __init__(self) -> None:
        self.asked: set[bytes] = set()
        self.by_all = asyncio.Event()

    def datagram_received(self, data: bytes, _: object) -> None:
        # The first label of what is asked for follows its length, behind a header of twelve bytes.
        self.asked.add(data[13 : 13 + data[12]])
        if len(self.asked) == MANY:
            self.by_all.set()


@asynccontextmanager
async def silent() -> AsyncIterator[tuple[Silent, AsyncResolver]]:
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(Silent, ("127.0.0.1", 0))
    names = AsyncResolver(nameservers=[f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"])
    try:
        yield server, names
    finally:
        transport.close()


@pytest.mark.promise("P-HOOK-08", "P-OUT-06")
async def test_names_whose_servers_do_not_answer_keep_no_other_post_and_no_other_look_up_waiting() -> None:
    async with silent() as (server, names), serving(GOOD) as url, poster(names=names) as calling:
        dead = [asyncio.create_task(calling.post(f"http://dead{number}.test/", b"[]", {}, 60)) for number in range(MANY)]
        async with asyncio.timeout(20):
            await server.by_all.wait()
            answer = await calling.post(url.replace("127.0.0.1", "localhost"), b"[]", {}, 10)
            # As Postgres and Kafka are looked up.
            found = await asyncio.get_running_loop().getaddrinfo("localhost", 1)
        waiting = sum(not task.done() for task in dead)
        for task in dead:
            task.cancel()
        await asyncio.gather(*dead, return_exceptions=True)

    assert (answer.status, waiting) == (204, MANY)
    assert found


@pytest.mark.promise("P-OUT-05")
@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".test"])
async def test_a_name_that_is_none_is_called_nowhere(host: str) -> None:
    async with poster() as calling:
        with pytest.raises(NotSent):
            await calling.post(f"http://{host}/", b"[]", {}, 10)


@pytest.mark.promise("P-OUT-05")
@pytest.mark.parametrize("host", ["a..b", "i\u2764.example"])
async def test_nor_is_a_mail_server_of_such_a_name(host: str) -> None:
    async with dialer() as dialing:
        with pytest.raises(OSError, match="name"):
            await dialing.dial(host, 25)


@pytest.mark.promise("P-OUT-03")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0.0.0.0"])  # noqa: S104
async def test_no_connection_is_made_to_an_address_that_is_denied(host: str) -> None:
    came = asyncio.Event()

    async def note(*_: object) -> None:
        came.set()

    async with tcp.serving(note) as port, dialer(Reach(denied=(ip_network("127.0.0.0/8"), ip_network("::1/128")))) as dialing:
        with pytest.raises(Denied):
            await dialing.dial(host, port)
        before = came.is_set()
        async with dialer() as other:
            (await other.dial(host, port)).close()
        await came.wait()

    assert not before
