"""What a statement was given stands in no traceback of it."""

from traceback import format_exception

import asyncpg
import pytest
from sqlalchemy import text

from runtime.engine import transaction_on
from schemas.settings import Settings

ADDRESS = "ann@secret.test"


@pytest.mark.promise("P-OPS-16")
async def test_a_statement_that_is_wrong_is_told_without_its_values(tables: Settings, pool: asyncpg.Pool) -> None:
    with pytest.raises(asyncpg.UndefinedTableError) as refused:
        async with transaction_on(pool) as connection:
            await connection.execute(text("SELECT FROM no_table WHERE email = :email"), {"email": ADDRESS})
    told = "".join(format_exception(refused.value))

    assert "no_table" in told
    assert ADDRESS not in told
