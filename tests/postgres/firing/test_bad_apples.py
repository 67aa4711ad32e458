"""Whatever goes wrong inside one launch, or one group, is no trouble of its neighbours."""

from collections.abc import Awaitable, Callable

import pytest

from tests.firing import Launcher, Topic, claim, counts, schedule
from tests.launching import Remembering, World
from workers.launcher.deliver.boundary import ALIKE, Boundary
from workers.launcher.deliver.endings import Held
from workers.launcher.groups import launches
from workers.launcher.model import Ending, Launch, Outcome

_ODD_PROFILES = [
    ("data", "[1]"),
    ("data", '"text"'),
    ("data", "7"),
    ("data", '{"email": ["a"], "_status": {}}'),
    ("subscriptions", "7"),
    ("subscriptions", "[1]"),
]
_ERRORS = [
    UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    RecursionError(),
    KeyError("key"),
    AttributeError("none"),
    MemoryError(),
    ExceptionGroup("several", [ValueError()]),
]


def raising(error: Exception) -> Callable[[Launch], Awaitable[None]]:
    async def fail(launch: Launch) -> None:
        if launch.recipient.address.startswith("bad"):
            raise error

    return fail


@pytest.mark.promise("P-LAUNCH-14")
@pytest.mark.parametrize("error", _ERRORS, ids=repr)
async def test_what_nobody_foresaw_in_a_launch_is_its_own_failure(world: World, topic: Topic, error: Exception) -> None:
    await schedule(world, "a@example.com", "bad@example.com", "c@example.com")
    launcher = Launcher(world, Remembering(raising(error)), topic)

    await launcher.work_once()

    assert launcher.channel.addresses() == ["a@example.com", "c@example.com"]
    assert (await counts(world)).items() >= {"finished": True, "launched": 2, "failed": 1}.items()
    (failed,) = [event for event in topic.events() if event["event_type"] == "fail"]
    assert failed["event_data"]["reason"] == f"cannot be processed: {type(error).__name__}"


@pytest.mark.promise("P-LAUNCH-14")
@pytest.mark.parametrize(("column", "value"), _ODD_PROFILES)
async def test_a_profile_of_an_odd_shape_ends_its_own_launch(world: World, topic: Topic, column: str, value: str) -> None:
    resource = await world.pool.fetchval(
        "INSERT INTO resources (account, number, name, channel, database) VALUES (1, 24, 'News', 'email', $1) RETURNING id", world.database
    )
    await world.pool.execute("UPDATE triggers SET resource = $1, unconditional_sending = $2", resource, column == "data")
    await schedule(world, "a@example.com", "bad@example.com", "c@example.com")
    await world.pool.execute(f"UPDATE profiles SET {column} = $1::jsonb WHERE data->>'email' = 'bad@example.com'", value)  # noqa: S608
    launcher = Launcher(world, Remembering(), topic)

    await launcher.work_once()

    ended = await counts(world)
    assert ended["finished"]
    assert ended["launched"] + ended["skipped"] + ended["failed"] == 3
    assert sorted(launcher.channel.addresses()) == (["a@example.com", "c@example.com"] if column == "data" else [])


def test_code_that_fails_for_several_accounts_alike_fails_nobody_more() -> None:
    boundary = Boundary()
    ended = [boundary.crossed(number % 2, "1a2b", KeyError()) for number in range(ALIKE)]

    assert ended[-1] == Held("launches fail alike")
    assert boundary.problems() != []

    boundary.passed()

    assert boundary.problems() == []


def test_one_account_alone_never_holds_the_line() -> None:
    boundary = Boundary()
    ended = [boundary.crossed(1, "1a2b", KeyError()) for _ in range(2 * ALIKE)]

    assert set(ended) == {Outcome(Ending.FAIL, "cannot be processed: KeyError")}


@pytest.mark.promise("P-LAUNCH-26")
async def test_a_launch_that_kills_whoever_tries_it_is_found_and_fails_alone(world: World, topic: Topic) -> None:
    await schedule(world, *(f"{number}@example.com" for number in range(5)))
    launcher = Launcher(world, Remembering(), topic)
    deaths = 0
    while not (await counts(world))["finished"]:
        await world.pool.execute("UPDATE launches SET run_at = now() WHERE finished_at IS NULL")
        for group in await claim(world):
            left = [group.items[position] for position in group.undone()]
            if 3 in left and group.claims <= launches.MOST_CLAIMS:
                deaths += 1
                continue
            await launcher.work(group)

    assert deaths < 10
    assert sorted(launcher.channel.addresses()) == [f"{number}@example.com" for number in (0, 1, 2, 4)]
    assert (await counts(world)).items() >= {"launched": 4, "failed": 1}.items()
    assert await world.pool.fetchval("SELECT sum(cardinality(items)) FROM launches WHERE attempt = 0") == 5


@pytest.mark.promise("P-LAUNCH-26")
async def test_claims_that_an_outage_ended_do_not_count(world: World, topic: Topic) -> None:
    await schedule(world, "a@example.com", "b@example.com")
    topic.away = True
    launcher = Launcher(world, Remembering(), topic)
    for _ in range(2 * launches.MOST_CLAIMS):
        await launcher.work_once()

    assert await world.pool.fetchval("SELECT claims FROM launches") == 0
