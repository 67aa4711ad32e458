"""Receivers in trouble: what is repeated, when, and that it is the same."""

import asyncio
import time
from collections import Counter

import pytest

from runtime.broker import end_offsets
from schemas.settings import Settings
from schemas.topics import EVENTS
from tests.kafka.conftest import until
from tests.kafka.hooks.conftest import SECRET, World
from tests.kafka.hosting import hosted
from tests.receiving import GOOD, Got, answer
from workers.hooks import retries


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "SHORTEST", 0.05)


@pytest.mark.promise("P-HOOK-06", "P-HOOK-07")
@pytest.mark.parametrize("raw", [
    answer(500),
    answer(400),
    answer(429),
    answer(302, "Location: /elsewhere"),
    answer(200, body=b'{"ok": false}'),
    None,
    b"no HTTP at all\r\n\r\n",
], ids=["500", "400", "429", "302", "another body", "a broken connection", "no HTTP"])  # fmt: skip
async def test_what_is_no_success_is_sent_again_as_it_was(world: World, raw: bytes | None) -> None:
    world.receiver.first("crm", raw, raw, then=answer(200, body=b'{"ok": true}'))
    await world.declare("crm", success=r'"ok":\s*true')
    async with hosted("hooks", world.settings):
        await world.tell(range(5))
        await world.until_taken("crm", range(5))
        await world.until_moved("crm", 0, 5)

    first, *repeats = [(got.id, got.body) for got in world.receiver.got["crm"]][:3]

    assert repeats == [first, first]
    assert world.receiver.got["elsewhere"] == []


@pytest.mark.promise("P-HOOK-07")
async def test_a_huge_answer_is_an_answer(world: World) -> None:
    world.receiver.always("crm", answer(200, body=b"x" * 5_000_000))
    await world.declare("crm")
    async with hosted("hooks", world.settings):
        await world.tell(range(3))
        await world.until_taken("crm", range(3))
        await world.until_moved("crm", 0, 3)


@pytest.mark.promise("P-HOOK-07")
async def test_a_receiver_that_hangs_is_given_up_after_the_hooks_timeout_and_tried_again(world: World) -> None:
    world.receiver.hang("crm")
    await world.declare("crm", timeout=1)
    async with hosted("hooks", world.settings):
        await world.tell([0])
        await world.until_posted("crm", 2)
        world.receiver.always("crm", GOOD)
        await world.until_moved("crm", 0, 1)

    assert len({(got.id, got.body) for got in world.receiver.got["crm"]}) == 1


@pytest.mark.promise("P-HOOK-07")
async def test_retry_after_is_waited_for(world: World) -> None:
    world.receiver.first("crm", answer(429, "Retry-After: 2"))
    await world.declare("crm")
    async with hosted("hooks", world.settings):
        await world.tell([0])
        await world.until_posted("crm", 1)
        began = time.monotonic()
        await world.until_posted("crm", 2)

    assert time.monotonic() - began > 1.9


@pytest.mark.promise("P-HOOK-07")
async def test_who_takes_over_waits_for_what_is_left_of_a_pause_but_not_after_a_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "SHORTEST", 100.0)
    world.receiver.first("crm", answer(500))
    await world.declare("crm")
    await world.declare("well")
    async with hosted("hooks", world.settings):
        await world.tell([0])
        await world.until_so("SELECT EXISTS (SELECT FROM hook_positions WHERE attempts > 0)")
        await world.until_moved("well", 0, 1)
    async with hosted("hooks", world.settings):
        await world.until_begun("crm", 2)
        await world.tell([1])
        await world.until_moved("well", 0, 2)
        early = len(world.receiver.got["crm"])
        await world.declare("crm", timeout=7)
        await world.until_moved("crm", 0, 2)

    assert early == 1


@pytest.mark.promise("P-HOOK-06")
async def test_a_hook_that_is_changed_while_it_fails_gets_the_very_batch_that_failed(world: World) -> None:
    world.receiver.always("crm", answer(500, "Retry-After: 3000"))
    await world.declare("crm")
    async with hosted("hooks", world.settings):
        await world.tell(range(3))
        await world.tell(range(3, 6), kind="fail")
        await world.until_so("SELECT EXISTS (SELECT FROM hook_positions WHERE attempts > 0)")
        await world.tell(range(6, 9), kind="fail")
        await world.tell(range(9, 12))
        await world.declare("crm", url=world.receiver.url("elsewhere"), events=["fail"], batch=2)
        # Not only after the pause that its receiver has asked for.
        await world.until_moved("crm", 0, 12)
    failed, repeated = world.receiver.got["crm"][0], world.receiver.got["elsewhere"][0]
    behind = set(range(6)) - set(failed.items)

    assert (repeated.id, repeated.body) == (failed.id, failed.body)
    assert world.receiver.items("elsewhere")[len(failed.items) :] == [
        item for item in (*range(3, 6), *range(6, 9)) if item in behind or item > 5
    ]


@pytest.mark.promise("P-HOOK-08")
async def test_what_nobody_foresaw_is_that_hooks_failure_and_no_others(world: World) -> None:
    await world.declare("broken")
    await world.declare("well")
    await world.pool.execute("UPDATE hooks SET secrets = '{no secret}' WHERE name = 'broken'")
    async with hosted("hooks", world.settings):
        await world.tell([0])
        await world.until_taken("well", [0])
        await world.until_so("SELECT EXISTS (SELECT FROM hook_positions WHERE answer = 'trouble: IncorrectSecret' AND attempts > 1)")
        await world.declare("broken", secrets=[SECRET, SECRET])
        await world.until_taken("broken", [0])


@pytest.mark.promise("P-HOOK-08")
async def test_a_hook_that_hangs_slows_no_other(world: World) -> None:
    settings = world.settings.model_copy(update={"hooks_bytes": 400_000, "hook_body_limit": 100_000})
    for number in range(10):
        world.receiver.hang(f"hangs-{number}")
        await world.declare(f"hangs-{number}", timeout=60, account=number % 3 + 1)
    await world.declare("well", events=["fail"])
    for at in range(4):
        # Bodies that take nearly all that there is for bodies, and that nobody answers.
        for account in (1, 2, 3):
            await world.tell(range(60), account=account, at=at, filling="x" * 1_000)
    async with hosted("hooks", settings):
        for number in range(10):
            await world.until_posted(f"hangs-{number}", 4)
        for turn in range(10):
            for at in range(4):
                await world.tell([turn * 4 + at], at=at, kind="fail")
            # Long before those that hang are given up.
            await until(lambda turn=turn: _has(world, "well", (turn + 1) * 4), 20)  # type: ignore[misc]

    assert sorted(world.receiver.items("well")) == list(range(40))


@pytest.mark.promise("P-HOOK-08")
async def test_a_hook_that_failed_once_stands_behind_none_that_hang_of_another_account(world: World) -> None:
    settings = world.settings.model_copy(update={"hooks_bytes": 1_600_000, "hook_body_limit": 50_000})
    posted: Counter[str] = Counter()

    async def failing_then_hanging(got: Got) -> bytes:
        posted[got.id] += 1
        return answer(500) if posted[got.id] == 1 else await asyncio.Future()

    for number in range(8):
        world.receiver.answering[f"hangs-{number}"] = failing_then_hanging
        await world.declare(f"hangs-{number}", timeout=60)
    world.receiver.first("well", answer(503))
    await world.declare("well", account=2)
    async with hosted("hooks", settings):
        for at in range(4):
            await world.tell(range(40), at=at, filling="x" * 1_000)

        async def is_full() -> bool:
            # Nobody else of the account may repeat before one of these is given up.
            return sum(times > 1 for times in posted.values()) >= 4

        await until(is_full)
        await world.tell([0], account=2)
        # Long before that.
        await world.until_moved("well", 0, await _end(settings))

    assert [got.items for got in world.receiver.got["well"]] == [[0], [0]]


async def _end(settings: Settings) -> int:
    topic = settings.topic(EVENTS.name)
    return (await end_offsets(settings, [(topic, 0)]))[topic, 0]


@pytest.mark.promise("P-HOOK-08")
async def test_hooks_at_different_places_get_all_of_it_and_one_that_lags_catches_up(world: World) -> None:
    settings = world.settings.model_copy(update={"hooks_bytes": 200_000, "hook_body_limit": 50_000})
    world.receiver.hang("slow")
    await world.declare("slow", timeout=1, batch=50)
    await world.declare("rare", events=["fail"])
    await world.declare("well")
    async with hosted("hooks", settings):
        await world.tell([0])
        await world.until_posted("slow", 1)
        # More than all windows hold.
        for turn in range(10):
            await world.tell(range(turn * 100 + 1, turn * 100 + 101))
        await world.tell([1001], kind="fail")
        await world.until_taken("well", range(1002))
        await world.until_taken("rare", [1001])
        world.receiver.always("slow", GOOD)
        await world.until_taken("slow", range(1002))


async def _has(world: World, name: str, count: int) -> bool:
    await asyncio.sleep(0)
    return len(world.receiver.items(name)) >= count
