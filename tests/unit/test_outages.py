"""What the operator is told to do."""

import asyncpg
import pytest

from runtime.advice import POSTGRES_AWAY, POSTGRES_FULL, POSTGRES_READ_ONLY, todo

STATES = {"53100": POSTGRES_FULL, "57P03": POSTGRES_AWAY, "08006": POSTGRES_AWAY, "42P01": None, "53300": None, "25006": POSTGRES_READ_ONLY}


@pytest.mark.promise("P-OPS-26")
@pytest.mark.parametrize(("state", "told"), STATES.items())
def test_what_a_server_says_decides(state: str, told: str | None) -> None:
    assert todo(asyncpg.PostgresError.new({"C": state, "M": "no"})).get("todo") == told


@pytest.mark.promise("P-OPS-26")
def test_a_server_that_says_nothing_is_away() -> None:
    assert todo(ConnectionRefusedError()) == {"todo": POSTGRES_AWAY}
