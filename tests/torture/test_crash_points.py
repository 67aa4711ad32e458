"""A room dies at each step between reading a message and its last effect."""

import pytest

from tests.torture.crashes import LANES, Crashes, Seen, everything_once


@pytest.mark.timeout(600)
@pytest.mark.promise("P-OPS-02", "P-OPS-03", "P-OPS-07", "P-LAUNCH-01", "P-LAUNCH-15", "P-REQID-11", "P-LAUNCH-17")
@pytest.mark.parametrize("crashes", [crashes for lane in LANES for crashes in lane], ids=lambda crashes: crashes.name)
def test_a_room_that_dies_at_any_step_goes_on_where_it_was(walked: dict[Crashes, Seen], crashes: Crashes) -> None:
    assert walked[crashes] == everything_once(crashes)
