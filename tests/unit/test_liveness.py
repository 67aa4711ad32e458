"""What stands still for too long is told without a clock, so that a process that was frozen is not blamed."""

from workers.exactly_once.liveness import LOOKS, Stillness


def looks(stillness: Stillness[str], count: int, **where: int) -> set[str]:
    for _ in range(count - 1):
        assert stillness.seen(where) == set()
    return stillness.seen(where)


def test_what_stood_for_a_minute_of_looks_is_named_alone() -> None:
    stillness: Stillness[str] = Stillness()
    for at in range(LOOKS):
        assert stillness.seen({"still": 7, "moving": at}) == set()

    assert stillness.seen({"still": 7, "moving": LOOKS}) == {"still"}


def test_a_move_begins_the_minute_again() -> None:
    stillness: Stillness[str] = Stillness()
    looks(stillness, LOOKS, partition=7)

    assert looks(stillness, LOOKS, partition=8) == set()


def test_what_was_away_meanwhile_begins_again() -> None:
    stillness: Stillness[str] = Stillness()
    looks(stillness, LOOKS, partition=7)
    stillness.seen({})

    assert looks(stillness, LOOKS, partition=7) == set()


def test_what_is_forgiven_begins_again() -> None:
    stillness: Stillness[str] = Stillness()
    assert looks(stillness, LOOKS + 1, partition=7) == {"partition"}
    stillness.forget({"partition"})

    assert looks(stillness, LOOKS, partition=7) == set()
