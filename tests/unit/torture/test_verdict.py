"""That torture would see what it looks for: each kind of difference, made on purpose."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from profuse.torture.account import CHANGED, IMPORTED, WELCOME
from profuse.torture.model import Item, Key, Request, mark
from profuse.torture.requests import FILE
from profuse.torture.verdict import differences
from profuse.torture.verdict.batches import DEAD, MALFORMED
from profuse.torture.verdict.seen import Batch, Mail, Observed, Told
from schemas import ids
from tests.unit.torture.worlds import CAMPAIGNS, asked, batch, ids12, profile, world

# Subjects whose number divides by 25 get mails; numbers that divide by 8 add a subscription.
FOUNDED = Item(1, 25, Key.EMAIL, founds=True)
CHANGE = Item(8, 25, Key.EMAIL)
WRONG = Item(39, 25, Key.EMAIL)
ID = ids12("profile")
REQUEST = replace(asked(FOUNDED, CHANGE, WRONG), skip_triggers=False)
STARTS = {WELCOME: [0, 1], IMPORTED: [0, 1], CHANGED: [1]}


def seen() -> Batch:
    return batch("r", [ID, ID, MALFORMED], STARTS)


def spoiled(**changes: Any) -> Observed:
    """The world of one request, with its batch or with something else changed."""
    inside = {name: change for name, change in changes.items() if hasattr(seen(), name)}
    good = world({"r": seen()}, {ID: profile(FOUNDED, CHANGE)}, [REQUEST])
    outside = {name: change for name, change in changes.items() if name not in inside}
    batches = {"r": replace(seen(), **inside)}
    return replace(good, **{"batches": batches, **outside})


GOOD = spoiled()
PROFILE = GOOD.profiles[ID]


def data(**changes: object) -> Observed:
    return spoiled(profiles={ID: replace(PROFILE, data={**PROFILE.data, **changes})})


def started(**campaigns: list[int]) -> Observed:
    numbers = {"welcome": WELCOME, "imported": IMPORTED, "changed": CHANGED}
    launches = {**seen().launches, **{CAMPAIGNS[numbers[name]]: Counter(places) for name, places in campaigns.items()}}
    return spoiled(launches=launches)


def mails(**changes: Any) -> Observed:
    first, *others = GOOD.mails
    return spoiled(mails=[first._replace(**changes), *others])


def without(name: str) -> Observed:
    return spoiled(profiles={ID: replace(PROFILE, data={key: value for key, value in PROFILE.data.items() if key != name})})


def test_a_world_in_order_has_no_differences() -> None:
    assert differences([REQUEST], GOOD) == []


@pytest.mark.parametrize(
    ("told", "change"),
    [
        ("lost: 3 acknowledged items without a batch: r$", lambda: spoiled(batches={})),
        (r"lost: 1 acknowledged items without a result: r\[1\]", lambda: spoiled(results=[(0, ID)])),
        (r"lost: 1 items without a launch of campaign 1: r\[1\]", lambda: started(welcome=[0])),
        ("lost: 1 items without a launch of campaign 2", lambda: started(imported=[0])),
        (r"lost: \d+ profiles of which an update started nothing", lambda: started(changed=[])),
        (r"lost: \d+ answered profiles that are not there", lambda: spoiled(profiles={})),
        (r"lost: \d+ updates that are not in their profiles: 1$", lambda: without(mark(1))),
        (r"lost: \d+ updates that are not in their profiles: 8$", lambda: spoiled(profiles={ID: replace(PROFILE, addresses=frozenset())})),
        (r"lost: \d+ launches whose mail did not arrive", lambda: spoiled(mails=GOOD.mails[1:])),
        (r"lost: \d+ events that were not told", lambda: spoiled(events=Told(frozenset(list(GOOD.events.ids)[1:])))),
        (r"doubled: \d+ batches that no Request-ID stands for", lambda: spoiled(strays=1)),
        ("doubled: 1 items with two results", lambda: spoiled(results=[(0, ID), (1, ID), (1, ID)])),
        ("doubled: 1 items with two results", lambda: spoiled(errors=[(1, MALFORMED), (2, MALFORMED)])),
        ("doubled: 1 items with two launches", lambda: started(welcome=[0, 1, 1])),
        (r"doubled: \d+ e-mails with two profiles", lambda: spoiled(profiles={ID: PROFILE, ids12("other"): PROFILE})),
        (r"doubled: \d+ updates of profiles that nothing stands for", lambda: data(m99=1)),
        (r"doubled: \d+ updates of profiles that nothing stands for", lambda: data(m39=1)),
        ("lost: 1 profiles that count fewer updates than they were applied", lambda: data(applied=1)),
        ("doubled: 1 profiles that count more updates than they were applied", lambda: data(applied=3)),
        (r"doubled: \d+ mails that nothing stands for", lambda: spoiled(mails=[*GOOD.mails, Mail("another", 101.0, "")])),
        (r"doubled: \d+ events that nothing stands for", lambda: spoiled(events=Told(GOOD.events.ids | {b"another"}))),
        (r"wrong: \d+ values that are not the last ones", lambda: data(version=1)),
        (r"wrong: \d+ values that are not the last ones", lambda: without("mark_1")),
        (r"wrong: \d+ items whose match value their profile does not hold", lambda: data(email="another")),
        (r"wrong: \d+ profiles that nobody was answered", lambda: spoiled(profiles={ID: PROFILE, ids12("other"): profile(CHANGE)})),
        ("wrong: 1 launches of campaign 1 that nothing", lambda: started(welcome=[0, 1, 2])),
        ("wrong: 1 launches of campaign 3 that nothing", lambda: started(changed=[1, 2])),
        ("wrong: 1 groups left behind: r", lambda: spoiled(unfinished=1)),
        ("wrong: 1 items that failed", lambda: spoiled(errors=[(2, DEAD)])),
        ("wrong: 1 items that are wrong, and passed", lambda: spoiled(results=[(0, ID), (1, ID), (2, ID)], errors=[])),
        (r"wrong: \d+ dead letters that are left", lambda: spoiled(dead_letters=["unreadable"])),
        (r"wrong: \d+ events that were told again with other fields", lambda: spoiled(events=replace(GOOD.events, contradictions=["e"]))),
        (r"wrong: \d+ events with the custom_data of another item", lambda: spoiled(events=replace(GOOD.events, strange=["e"]))),
        (r"wrong: \d+ mails with another", lambda: mails(to="another")),
        (r"wrong: \d+ mails with another", lambda: mails(subject="Version 99")),
        (r"wrong: \d+ mails with another", lambda: mails(subject="Version ")),
        (r"wrong: \d+ mails with another", lambda: mails(text="<p>Page r</p>")),
        (r"wrong: \d+ mails with another", lambda: mails(files={"marks.txt": b"r"})),
        (r"wrong: \d+ log lines", lambda: spoiled(log_lines=["Traceback"])),
    ],
)
def test_each_difference_is_seen(told: str, change: Callable[[], Observed]) -> None:
    found = [str(each) for each in differences([REQUEST], change())]

    assert any(re.match(told, each) for each in found), found


def test_an_answer_that_is_not_what_is_stored_is_seen() -> None:
    right: list[dict[str, Any]] = [{"profile_id": ID.hex()}, {"profile_id": ID.hex()}, MALFORMED]
    other: list[dict[str, Any]] = [{"profile_id": ID.hex()}, {"profile_id": "0" * 24}, MALFORMED]

    assert differences([replace(REQUEST, entries=right)], GOOD) == []
    assert [str(each)[:46] for each in differences([replace(REQUEST, entries=other)], GOOD)] == [
        "wrong: 1 items that were answered otherwise: r"
    ]


def test_what_nobody_acknowledged_may_be_there_or_not() -> None:
    maybe = Request("s", [Item(9, 25, Key.EMAIL)])
    there = world({"r": seen(), "s": batch("s", [ID], {WELCOME: [0]})}, {ID: profile(FOUNDED, CHANGE, maybe.items[0])}, [REQUEST, maybe])

    assert differences([REQUEST, maybe], GOOD) == []
    assert differences([REQUEST, maybe], there) == []


def test_a_mail_that_arrives_again_under_its_id_is_no_difference_of_its_own() -> None:
    assert differences([REQUEST], spoiled(mails=[*GOOD.mails, *GOOD.mails])) == []


def test_content_and_file_of_a_request_are_in_its_own_mails_and_in_no_others() -> None:
    own = {ids.launch_id(seen().id, place, CAMPAIGNS[WELCOME]) for place in (0, 1)}
    brought: dict[str, Any] = {"text": "<p>Page r</p>", "files": {FILE: b"r"}}
    right = [mail._replace(**brought) if mail.launch in own else mail for mail in GOOD.mails]
    wrong = [mail._replace(**brought) for mail in GOOD.mails]

    assert differences([replace(REQUEST, has_files=True)], spoiled(mails=right)) == []
    assert [each.count for each in differences([replace(REQUEST, has_files=True)], GOOD)] == [2]
    assert [each.count for each in differences([replace(REQUEST, has_files=True)], spoiled(mails=wrong))] == [3]
