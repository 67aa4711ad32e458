"""What is written as an array, Postgres reads as what was meant."""

from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest

from runtime.arrays import array, array_of_bytes, array_of_texts
from schemas.kinds import Kind
from schemas.settings import Settings

# NUL is no text of Postgres', and a surrogate none at all.
LETTERS = [chr(code) for code in range(1, 0x300)]
TEXTS = [*LETTERS, "".join(LETTERS), "", " ", "NULL", "{}", '{"a",b}', "a,b", '\\"', "\\\\", "a\\nb", "\\u0041", "Жanna\u2028🎉"]


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(settings.postgres)
    yield connection
    await connection.close()


@pytest.mark.parametrize("texts", [TEXTS, [text for text in TEXTS if text.isprintable() and not {"\\", '"'} & {*text}], []])
async def test_texts(connection: asyncpg.Connection, texts: list[str]) -> None:
    assert await connection.fetchval("SELECT $1::text::text[]", array_of_texts(texts)) == texts


async def test_documents(connection: asyncpg.Connection) -> None:
    values: list[object] = [*TEXTS, {text: [text, 1e308] for text in TEXTS}, None, []]
    written = [msgspec.json.encode(value).decode() for value in values]

    assert await connection.fetchval("SELECT $1::text::text[]", array(written)) == written


async def test_integers_and_bytes(connection: asyncpg.Connection) -> None:
    integers, binaries = [0, -1, 2**63 - 1, Kind.FIELD], [b"", b"\0\\\"'{}", bytes(range(256))]

    assert await connection.fetchval("SELECT $1::text::bigint[]", array(integers)) == integers
    assert await connection.fetchval("SELECT $1::text::bytea[]", array_of_bytes(binaries)) == binaries
    assert await connection.fetchval("SELECT $1::text::bytea[]", array_of_bytes([])) == []
