"""Groups whose destination was away, and is back, though not for each of them, or not for long."""

import asyncio
from collections.abc import Callable

import pytest

from tests.firing import Launcher, Topic, counts, schedule
from tests.launching import Remembering, World
from workers.launcher.channels.channel import Rejected, Unavailable
from workers.launcher.clock import clock
from workers.launcher.deliver import holds, suspicions
from workers.launcher.model import Launch

_MANY = 25
_REFUSED = Rejected("550 5.1.1 no such user", 550)

Later = Callable[[], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """So much later that one may be let through again."""
    passed = 0.0
    monkeypatch.setattr(holds, "clock", lambda: clock() + passed)
    monkeypatch.setattr(suspicions, "SUSPENSE", 0.05)

    def let_pass() -> None:
        nonlocal passed
        passed += 60

    return let_pass


class Server(Remembering):
    """Says the same to everybody, or takes all but one of them."""

    says: Exception | None = None
    unknown = "0@0.test"
    # So many more mails are within its quota.
    left = _MANY

    async def send(self, launch: Launch, *_: object) -> None:
        # The others of its page have their turn meanwhile.
        await asyncio.sleep(0)
        if self.says is not None:
            raise self.says
        if launch.recipient.address == self.unknown:
            raise _REFUSED
        if not self.left:
            raise Unavailable("SMTP 454")
        self.left -= 1
        self.sent.append(launch)


async def kept_waiting(world: World, topic: Topic, says: Exception) -> tuple[Launcher, Server]:
    """A group that was tried while its server said so; it is back by now."""
    await schedule(world, *[f"{number}@{number}.test" for number in range(_MANY)])
    server = Server()
    server.says = says
    launcher = Launcher(world, server, topic)
    await launcher.work_once()
    assert (await counts(world)).items() >= {"launched": 0, "failed": 0, "rests": True}.items()
    server.says = None
    return launcher, server


@pytest.mark.promise("P-LAUNCH-30")
async def test_a_group_goes_on_at_once_when_one_of_it_has_shown_that_its_server_is_back(world: World, topic: Topic, later: Later) -> None:
    launcher, server = await kept_waiting(world, topic, Unavailable("Connection refused"))
    later()
    await launcher.work_once()
    shown = await counts(world)
    await launcher.work_once()

    assert 0 < shown["launched"] + shown["failed"] < _MANY
    assert (shown["rests"], shown["finished"]) == (False, False)
    assert len(server.sent) == _MANY - 1
    assert (await counts(world)).items() >= {"failed": 1, "finished": True}.items()


@pytest.mark.promise("P-LAUNCH-30")
async def test_nobody_is_given_up_whose_server_has_just_come_back(world: World, topic: Topic, later: Later) -> None:
    launcher, _ = await kept_waiting(world, topic, Unavailable("Connection refused"))
    await world.pool.execute("UPDATE launches SET held_since = now() - interval '8 days'")
    later()
    for _ in range(2):
        await launcher.work_once()

    assert (await counts(world)).items() >= {"launched": _MANY - 1, "failed": 1, "finished": True}.items()


@pytest.mark.promise("P-LAUNCH-30")
async def test_where_all_are_refused_alike_it_is_not_always_the_same_one_that_is_let_through(
    world: World, topic: Topic, later: Later
) -> None:
    launcher, server = await kept_waiting(world, topic, Rejected("550 blocked", 550))
    # By chance: that it is the same one forty times does not happen.
    for _ in range(40):
        if not server.sent:
            later()
            await launcher.work_once()

    assert server.sent


@pytest.mark.promise("P-LAUNCH-30")
async def test_nobody_is_given_up_whose_server_takes_some_each_day(world: World, topic: Topic, later: Later) -> None:
    launcher, server = await kept_waiting(world, topic, Unavailable("SMTP 454"))
    server.unknown = ""
    # A day's quota; then a day without any.
    for quota in (5, 0, 5):
        await world.pool.execute("UPDATE launches SET held_since = held_since - interval '6 days'")
        server.left = quota
        for _ in range(3):
            later()
            await launcher.work_once()

    assert (await counts(world)).items() >= {"launched": 10, "failed": 0, "finished": False}.items()


@pytest.mark.promise("P-LAUNCH-30")
async def test_what_is_sent_counts_for_those_that_are_held_beside_it(world: World, topic: Topic, later: Later) -> None:
    launcher, server = await kept_waiting(world, topic, Unavailable("SMTP 454"))
    await world.pool.execute("UPDATE launches SET held_since = held_since - interval '8 days'")
    launcher.page = 1
    server.left, server.unknown = 5, ""
    later()
    await launcher.work_once()

    assert (await counts(world)).items() >= {"launched": 5, "failed": 0, "finished": False}.items()
