"""How far ahead batches that are spread are claimed."""

from dataclasses import replace

import pytest

from tests.launching import claimed
from workers.launcher.claim.ahead import Ahead, name_of

pytestmark = pytest.mark.promise("P-LAUNCH-43")


def test_a_batch_has_enough_from_a_page_on_and_gets_more_as_soon_as_less_is_left() -> None:
    ahead = Ahead(8 * 400)
    changes = [(b"one", 0, 300), (b"two", 0, 2_000), (b"one", 0, 100), (b"two", 2_000, 400), (b"two", 400, 399), (b"one", 300, 0)]
    found = [(ahead.changed(*change), list(ahead.enough())) for change in changes]

    assert found == [
        (False, []),
        (False, [b"two"]),
        (False, [b"one", b"two"]),
        (False, [b"one", b"two"]),
        (True, [b"one"]),
        (True, []),
    ]


def test_of_what_is_over_nothing_is_kept() -> None:
    ahead = Ahead(8 * 400)
    ahead.changed(b"one", 0, 300)
    ahead.changed(b"one", 300, 0)

    assert not ahead._left


def test_only_what_is_spread_is_counted_for_each_of_its_triggers() -> None:
    one, other = (name_of(replace(claimed(trigger=number), is_spread=True)) for number in (1, 2))

    assert name_of(claimed()) is None
    # It rested, and the others of its batch did not go on for its sake.
    assert name_of(replace(claimed(), is_spread=True, attempt=1)) is None
    assert one != other
