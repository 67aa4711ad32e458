"""A plain handler: one request with one profile, one transaction, and the answer; no broker, no batch, no repeat."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schemas.ids import new_id

_CREATE = """
CREATE TABLE IF NOT EXISTS peer_tokens (hash text PRIMARY KEY, account int NOT NULL);
CREATE TABLE IF NOT EXISTS peer_profiles (id bytea PRIMARY KEY, email text UNIQUE NOT NULL, data jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS peer_launches (profile bytea NOT NULL, trigger int NOT NULL, due_at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS peer_launches_due_at_idx ON peer_launches (due_at);
INSERT INTO peer_tokens VALUES ('any', 1) ON CONFLICT DO NOTHING;
"""
_WHO = "SELECT account FROM peer_tokens WHERE hash = $1"
_FIND = "SELECT id FROM peer_profiles WHERE email = $1 FOR UPDATE"
_UPDATE = "UPDATE peer_profiles SET data = data || $2::jsonb WHERE id = $1"
# Two that create the same one: the second updates it.
_INSERT = """
INSERT INTO peer_profiles (id, email, data) VALUES ($1, $2, $3::jsonb)
ON CONFLICT (email) DO UPDATE SET data = peer_profiles.data || excluded.data RETURNING id
"""
_LAUNCH = "INSERT INTO peer_launches (profile, trigger, due_at) VALUES ($1, $2, now() + interval '1 day')"


class Handler:
    """Answers `POST /`."""

    pool: asyncpg.Pool

    def __init__(self, postgres: str) -> None:
        self._postgres = postgres

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(self._postgres, min_size=0, max_size=10, server_settings={"search_path": "profuse"}) as self.pool:
            await self.pool.execute(_CREATE)
            yield

    async def answer(self, request: Request) -> Response:
        body = msgspec.json.decode(await request.body())
        data = body["data"][0]["data"]
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.fetchval(_WHO, "any")
            given = msgspec.json.encode(data).decode()
            profile = await connection.fetchval(_FIND, data["email"])
            if profile is None:
                profile = await connection.fetchval(_INSERT, new_id(), data["email"], given)
            else:
                await connection.execute(_UPDATE, profile, given)
            await connection.execute(_LAUNCH, profile, body["trigger_id"])
        return Response(msgspec.json.encode({"error": 0, "result": [{"profile_id": profile.hex()}]}), media_type="application/json")


def main(port: int, postgres: str) -> None:
    handler = Handler(postgres)
    app = Starlette(routes=[Route("/", handler.answer, methods=["POST"])], lifespan=handler.lifespan)
    config = uvicorn.Config(app, port=port, http="httptools", log_level="warning", access_log=False)
    asyncio.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
