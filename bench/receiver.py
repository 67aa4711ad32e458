"""A provider that takes everything at once, in a process of its own: `python -m bench.receiver PORT`."""

import asyncio
import sys

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class _Taking(asyncio.Protocol):
    """Reads requests without looking at them, as little work as a receiver can be."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            length = next(
                int(line.split(b":")[1]) for line in self._data[:end].lower().split(b"\r\n") if line.startswith(b"content-length")
            )
            if len(self._data) < end + 4 + length:
                return
            self._data = self._data[end + 4 + length :]
            assert isinstance(self._transport, asyncio.WriteTransport)  # noqa: S101
            self._transport.write(_ANSWER)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Taking, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
