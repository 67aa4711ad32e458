"""Tables that are copied from ones that were migrated once: a walk through all migrations takes several times as long."""

import subprocess
from dataclasses import dataclass

import asyncpg

from profuse.stack.postgres import PROGRAMS
from schemas.settings import Settings


@dataclass(frozen=True)
class Model:
    """A migrated schema, and the SQL that makes it."""

    schema: str
    sql: str

    async def copy(self, settings: Settings) -> None:
        connection = await asyncpg.connect(settings.postgres)
        await connection.execute(self.sql.replace(self.schema, settings.prefix))
        await connection.close()


def model(migrated: Settings) -> Model:
    command = [str(PROGRAMS / "pg_dump"), "--schema", migrated.prefix, "--inserts", "--no-owner", migrated.postgres]
    dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # What begins like this is for psql.
    return Model(migrated.prefix, "\n".join(line for line in dumped.splitlines() if not line.startswith("\\")))
