"""What parameters cost before they are refused."""

import json
import tracemalloc
from typing import Any

import pytest

from ingest.admission.budget import Budget, Share
from ingest.endpoints.batch_parameters import BatchRequest, ImportAndStartBatch, SetSubscription
from ingest.endpoints.parameters import checked, names
from ingest.http import parsing
from ingest.http.call import Call
from ingest.request_errors import Refused
from ingest.sql.accounts import Token
from schemas.settings import MIB, Settings

ZEROS = b"[%s0]" % (b"0," * MIB)


def call(body: bytes, model: type[BatchRequest] = ImportAndStartBatch) -> Call:
    root = parsing.members(body, names(model))
    return Call(Token(1, 1, frozenset()), "", root, None, None, b"", Share(Budget(1)), Settings())


@pytest.mark.promise("P-OPS-17", "P-HTTP-07", "P-HTTP-14")
@pytest.mark.parametrize(
    ("name", "model"),
    [
        *((name, ImportAndStartBatch) for name in ("email", "timeout", "content", "custom_data", "attach", "trigger_id")),
        *((name, SetSubscription) for name in ("cc_data", "custom_fields", "cats")),
    ],
)
def test_what_is_too_long_for_its_place_is_refused_before_it_is_built(name: str, model: type[BatchRequest]) -> None:
    made = call(b'{"%s":%s}' % (name.encode(), ZEROS), model)
    tracemalloc.start()
    with pytest.raises(Refused) as refused:
        made.parameters()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert str(refused.value.debug).startswith(name)
    assert peak < MIB


@pytest.mark.promise("P-HTTP-14")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content", [[number % 10 for number in range(100)] for _ in range(1_200)]),
        ("custom_data", [[number % 10 for number in range(100)] for _ in range(70)]),
        ("timeout", list(range(9_000))),
    ],
)
def test_what_is_indented_may_be_longer(name: str, value: list[Any]) -> None:
    given = {"grid": value}

    assert call(json.dumps({name: given}, indent=4).encode()).parameters() == {name: given}


@pytest.mark.promise("P-HTTP-14", "P-FAMILY-11")
@pytest.mark.parametrize("name", ["cc_data", "custom_fields", "cats"])
def test_what_a_subscription_holds_may_be_as_large_as_in_an_item(name: str) -> None:
    given: Any = ["x" * 100] * 2_000 if name == "cats" else {"history": ["x" * 100] * 2_000}

    assert call(json.dumps({name: given}).encode(), SetSubscription).parameters() == {name: given}


@pytest.mark.promise("P-OPS-17", "P-HTTP-07")
def test_however_many_categories_are_wrong_the_first_is_told_and_costs_little() -> None:
    given = call(b'{"cats":[%s0]}' % (b"0," * 700_000), SetSubscription).parameters()
    tracemalloc.start()
    with pytest.raises(Refused) as refused:
        checked(SetSubscription, {"db_id": 1, "resource_id": 24, **given})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert refused.value.debug == "cats.0: Input should be a valid string"
    assert peak < MIB


@pytest.mark.promise("P-BATCH-12", "P-OPS-17")
def test_data_that_is_no_array_is_not_built() -> None:
    assert call(b'{"data":{"a":%s}}' % ZEROS).parameters() == {"data": False}


@pytest.mark.promise("P-BATCH-28")
def test_null_is_not_given() -> None:
    assert call(b'{"email":null,"trigger_id":8,"attach":null}').parameters() == {"trigger_id": 8}


@pytest.mark.promise("P-OPS-17")
async def test_a_call_that_was_let_go_holds_nothing() -> None:
    made = call(b'{"email":"a@b.test"}')
    await made.share.grow(100)
    made.let_go()

    assert (made.root.values, made.share.size) == ({}, 0)
