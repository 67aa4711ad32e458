"""What a dry run knows without the server."""

from typing import Any

import pytest

from profuse.importing.checking import checker
from profuse_client import Item


@pytest.mark.promise("P-IMPORT-08")
@pytest.mark.parametrize(("matching", "name", "value"), [("email", "email", "a@x.test"), ("phone", "phones", ["+79000000001"])])
def test_a_dry_run_takes_what_is_set_for_what_is_given(matching: str, name: str, value: Any) -> None:
    told = [checker([], matching, None).trouble(Item({name: given})) for given in (value, {"action": "set", "value": value})]

    assert told == [None, None]
