"""That torture would see what it looks for: each kind of difference, made on purpose."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice, pairwise

import pytest

from profuse.torture.model import Item, Request
from profuse.torture.plan import plan
from profuse.torture.report import Report
from profuse.torture.verdict import Batch, Difference, Observed, differences
from schemas import ids

BATCH, ID, TRIGGER = b"b" * 12, b"1" * 12, 7
# The 50th profile of its producer has a subscription, and so gets a mail.
ITEM = Item(producer=0, profile=50, version=3)
SECOND = Item(producer=0, profile=50, version=4)
LAUNCH = ids.launch_id(BATCH, 0, TRIGGER)
TOLD = ((f"{BATCH.hex()}/0", "import_api"), (LAUNCH, "launch"), (LAUNCH, "send"))
EVENTS = frozenset(bytes.fromhex(ids.event_id(*each)) for each in TOLD)


def asked(*items: Item, acknowledged: bool = True) -> Request:
    return Request("r", list(items), b"", acknowledged, [ID.hex()] if acknowledged else None)


def batch() -> Batch:
    return Batch(BATCH, TRIGGER, results=[(0, ID)], launches=[0], launched=1)


def world() -> Observed:
    """Everything as one request with one mailed item leaves it."""
    profiles = {ID: {"email": ITEM.email, "version": 3, "mark_0": 3}}
    return Observed({"r": batch()}, 0, profiles, [], Counter([LAUNCH]), EVENTS, [])


def test_a_world_in_order_has_no_differences() -> None:
    assert differences([asked(ITEM)], world()) == []


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("lost", lambda: replace(world(), batches={})),
        ("lost", lambda: replace(world(), batches={"r": replace(batch(), results=[], launches=[], launched=0)})),
        ("lost", lambda: replace(world(), batches={"r": replace(batch(), launches=[])})),
        ("lost", lambda: replace(world(), profiles={})),
        ("lost", lambda: replace(world(), mails=Counter())),
        ("lost", lambda: replace(world(), events=frozenset(list(EVENTS)[1:]))),
        ("doubled", lambda: replace(world(), strays=1)),
        ("doubled", lambda: replace(world(), batches={"r": replace(batch(), results=[(0, ID), (0, ID)])})),
        ("doubled", lambda: replace(world(), batches={"r": replace(batch(), launches=[0, 0])})),
        ("doubled", lambda: replace(world(), profiles={**world().profiles, b"2" * 12: world().profiles[ID]})),
        ("doubled", lambda: replace(world(), mails=Counter([LAUNCH, "another"]))),
        ("doubled", lambda: replace(world(), events=EVENTS | {b"another"})),
        ("wrong", lambda: replace(world(), profiles={ID: {"email": ITEM.email, "version": 2, "mark_0": 3}})),
        ("wrong", lambda: replace(world(), profiles={ID: {"email": ITEM.email, "version": 3}})),
        ("wrong", lambda: replace(world(), profiles={ID: {"email": "another", "version": 3, "mark_0": 3}})),
        ("wrong", lambda: replace(world(), batches={"r": replace(batch(), results=[(0, b"2" * 12)])})),
        ("wrong", lambda: replace(world(), batches={"r": replace(batch(), launches=[0, 1])})),
        ("wrong", lambda: replace(world(), batches={"r": replace(batch(), unfinished=1)})),
        ("wrong", lambda: replace(world(), batches={"r": replace(batch(), errors=["Cannot be processed"])})),
        ("wrong", lambda: replace(world(), batches={"r": replace(batch(), launched=0, skipped=1)})),
        ("wrong", lambda: replace(world(), dead_letters=["unreadable"])),
        ("wrong", lambda: replace(world(), log_lines=["Traceback"])),
    ],
)
def test_each_difference_is_seen(kind: str, change: Callable[[], Observed]) -> None:
    assert kind in {difference.kind for difference in differences([asked(ITEM)], change())}


def test_a_mail_that_arrives_again_under_its_id_is_no_difference() -> None:
    assert differences([asked(ITEM)], replace(world(), mails=Counter([LAUNCH, LAUNCH]))) == []


def test_of_two_acknowledged_writes_the_later_one_counts() -> None:
    later = replace(asked(SECOND), id="s")
    seen = replace(batch(), id=b"c" * 12)
    found = differences([asked(ITEM), later], replace(world(), batches={"r": batch(), "s": seen}))

    assert "wrong: profiles hold other values: ['0-50@torture.test']" in {f"{each.kind}: {each.what}" for each in found}


def test_what_nobody_acknowledged_may_be_there_or_not() -> None:
    maybe = replace(asked(SECOND, acknowledged=False), id="s")
    there = {ID: {"email": ITEM.email, "version": 4, "mark_0": 3, "mark_1": 4}}

    assert differences([asked(ITEM), maybe], world()) == []
    assert differences([asked(ITEM), maybe], replace(world(), profiles=there)) == []


def test_a_seed_repeats_its_plan_and_soon_brings_every_kind() -> None:
    kinds = ["a", "b", "c", "d", "e"]
    turns = [[(kind, dice.random()) for kind, dice in turn.faults.items()] for turn in islice(plan(7, kinds), 8)]

    assert turns == [[(kind, dice.random()) for kind, dice in turn.faults.items()] for turn in islice(plan(7, kinds), 8)]
    assert {kind for turn in turns for kind, _ in turn} == set(kinds)


def test_what_happens_in_a_turn_is_laid_to_its_fault_only_if_there_is_no_other() -> None:
    turns = list(islice(plan(7, ["a", "b", "c"]), 40))
    alone = {before.hurried: turn.alone for before, turn in pairwise(turns) if len(turn.faults) == 1}
    together = {turn.alone for turn in turns if len(turn.faults) > 1}

    assert alone[True] is None
    assert alone[False] in ("a", "b", "c")
    assert together == {None}


def test_a_report_is_json_with_its_counts() -> None:
    report = Report(7, faults=Counter({"kill -9 a matcher": 2}), differences=[Difference("lost", 3, "mails")])
    shown = json.loads(json.dumps(report.as_json()))

    assert shown["faults"] == {"kill -9 a matcher": 2}
    assert (shown["lost"], shown["doubled"]) == (3, 0)
