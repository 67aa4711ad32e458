"""An operator restarts every process of the rooms, one after the other, while producers go on sending."""

from collections.abc import Iterator

import pytest

from tests.stack.door import Door, wait_until
from tests.stack.rolling import WELCOME, load, restart

pytestmark = pytest.mark.timeout(240)

ROOMS = ("gateway-1", "gateway-2", "matcher-1", "launcher-1")


@pytest.fixture
def doubled(used: Door) -> Iterator[Door]:
    """With two gateways on its one socket."""
    used.up("--gateways", "2")
    yield used
    used.up("--gateways", "1")


@pytest.mark.promise("P-OPS-12", "P-OPS-13", "P-DOOR-04", "P-BATCH-19")
def test_a_rolling_restart_cuts_no_request_and_refuses_none_for_good(doubled: Door) -> None:
    with load(doubled, "rolling") as ended:
        for name in ROOMS:
            before = len(ended)
            restart(doubled, name)
            # The producers have not been silent meanwhile.
            wait_until(lambda before=before: len(ended) > before)  # type: ignore[misc]

    assert set(ended.values()) <= WELCOME
    assert "200" in ended.values()
