"""What is started for imported items."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.ids import TriggerId
from schemas.messages import TriggerStart
from tests.unit.matcher import test_importing
from workers.launcher.groups.group import started_by
from workers.matcher.announcement import announcement
from workers.matcher.batches import Database, UpdateTrigger
from workers.matcher.item import Outcome

OWN, OTHER = TriggerId(7), TriggerId(8)
DATABASE = Database(1, "reject", {}, {}, (), ())
BATCH = replace(test_importing.BATCH, id=b"\1" * 12, database=DATABASE, trigger=OWN, total=3)


def started(changed: list[set[str]], **database: Any) -> list[tuple[int, list[int]]]:
    """Each group's trigger and items."""
    batch = replace(BATCH, database=replace(DATABASE, **database))
    outcomes = [Outcome(batch, number, bytes(12), changed=frozenset(fields)) for number, fields in enumerate(changed)]
    message = announcement(outcomes)
    assert message is not None
    # A launcher of an older release would take each for a group.
    assert len({start.trigger for start in message.starts}) == len(message.starts)
    return [(group.trigger, list(group.items)) for group in started_by([message])]


@pytest.mark.promise("P-LAUNCH-01")
@pytest.mark.parametrize("changed", [[{"i"}, set(), set()], [set(), {"i"}, set()], [set(), set(), set()]])
def test_a_campaign_that_has_become_one_of_changes_starts_once_for_each_item_of_its_own_batch(changed: list[set[str]]) -> None:
    assert started(changed, update_triggers=(UpdateTrigger(OWN, None),)) == [(OWN, [0, 1, 2])]


@pytest.mark.promise("P-LAUNCH-01")
def test_a_campaign_that_has_become_one_of_imports_starts_once_for_each_item_of_its_own_batch() -> None:
    message = announcement([Outcome(replace(BATCH, database=replace(DATABASE, import_triggers=(OWN, OTHER))), 0, bytes(12))])

    assert message is not None
    assert [start.trigger for start in message.starts] == [OWN, OTHER]


def test_others_start_for_what_changed() -> None:
    others = (UpdateTrigger(OTHER, frozenset({"i"})),)

    assert started([set(), {"i"}, {"k"}], update_triggers=others) == [(OWN, [0, 1, 2]), (OTHER, [1])]


@pytest.mark.promise("P-LAUNCH-01")
def test_of_a_message_that_names_the_batchs_own_campaign_twice_all_items_are_started_once() -> None:
    """As matchers of older releases wrote it."""
    message = announcement([Outcome(BATCH, number, bytes(12)) for number in range(3)])
    assert message is not None
    for again in ([0], [1, 2]):
        message.starts[1:] = [TriggerStart(trigger=OWN, items=again)]

        assert [list(group.items) for group in started_by([message])] == [[0, 1, 2]]
