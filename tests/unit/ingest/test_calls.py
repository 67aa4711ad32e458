"""What parameters cost before they are refused."""

import tracemalloc

import pytest

from ingest.admission.budget import Budget, Share
from ingest.endpoints.batch_parameters import ImportAndStartBatch
from ingest.endpoints.parameters import names
from ingest.errors import Refused
from ingest.http import parsing
from ingest.http.call import Call
from ingest.sql.accounts import Token
from schemas.settings import MIB, Settings

ZEROS = b"[%s0]" % (b"0," * MIB)


def call(body: bytes) -> Call:
    root = parsing.members(body, names(ImportAndStartBatch))
    return Call(Token(1, 1, frozenset()), "", root, None, None, b"", Share(Budget(1)), Settings())


@pytest.mark.promise("P-OPS-17", "P-HTTP-07")
@pytest.mark.parametrize("name", ["email", "timeout", "content", "custom_data", "attach", "trigger_id"])
def test_what_is_too_long_for_its_place_is_refused_before_it_is_built(name: str) -> None:
    made = call(b'{"%s":%s}' % (name.encode(), ZEROS))
    tracemalloc.start()
    with pytest.raises(Refused) as refused:
        made.parameters()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert str(refused.value.debug).startswith(name)
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
