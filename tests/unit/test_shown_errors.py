"""What a worker says about its trouble."""

import asyncpg
import pytest

from workers.exactly_once import Conflict
from workers.exactly_once.advice import shown


@pytest.mark.promise("P-OPS-16")
def test_refused_data_is_not_quoted() -> None:
    refused = asyncpg.PostgresError.new({"C": "23505", "M": "duplicate key", "D": "Key (value)=(ann@example.com) already exists."})

    assert shown(refused) == "UniqueViolationError (23505)"


def test_what_the_operator_has_to_mend_is_named() -> None:
    missing = asyncpg.PostgresError.new({"C": "42P01", "M": 'relation "profiles" does not exist'})

    assert shown(missing) == 'UndefinedTableError (42P01): relation "profiles" does not exist'
    assert shown(Conflict("an item was done meanwhile")) == "Conflict: an item was done meanwhile"
