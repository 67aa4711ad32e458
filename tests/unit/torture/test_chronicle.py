"""What is asked of the stack at which moment."""

import math
from collections import Counter

import pytest

from profuse.torture.chronicle import Chronicle, Span, Strike, percentile
from profuse.torture.verdict import neighbours
from profuse.torture.verdict.ends import ends, unexplained
from profuse.torture.verdict.mails import REPEATS, repeats, waits
from profuse.torture.verdict.seen import Difference, Mail

CALM = Chronicle([Span(10, 20)])


@pytest.mark.parametrize(
    ("wait", "counted"),
    [
        (Span(11, 12), [1]),
        (Span(9, 12), []),
        (Span(19, 25), []),
        (Span(11, 25), [9]),
        (Span(11, math.inf), [9]),
        (Span(21, 22), []),
    ],
)
def test_a_wait_counts_as_far_as_a_calm_shows_it(wait: Span, counted: list[float]) -> None:
    assert list(CALM.waited([wait], limit=2)) == counted


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert (percentile([], 0.99), percentile([3, 1, 2], 0.5), percentile(range(1, 101), 0.99)) == (0, 2, 99)


@pytest.mark.promise("P-OPS-50")
def test_the_polite_account_may_wait_as_long_as_its_limits_say() -> None:
    assert not list(neighbours.polite([0.9] * 990 + [5.0] * 10, [1.9] * 1_000, 1.0))
    assert [each.count for each in neighbours.polite([0.9] * 989 + [5.0] * 11, [2.1] * 1_000, 1.0)] == [11, 1_000]


def test_of_a_handful_nothing_can_be_said() -> None:
    assert not list(neighbours.polite([5.0] * (neighbours.ENOUGH - 1), [], 1.0))


@pytest.mark.parametrize(("calm", "ever"), [([11.0], []), ([], [181.0])])
def test_a_mail_may_be_late_only_as_faults_explain(calm: list[float], ever: list[float]) -> None:
    assert sum(each.count for each in neighbours.launched(calm, ever)) == 1
    assert not sum(each.count for each in neighbours.launched([9.0], [179.0]))


@pytest.mark.promise("P-OPS-50")
@pytest.mark.parametrize(
    ("told", "unanswered"),
    [
        ({"surprises": ["500"], "tasks": {}}, []),
        ({"surprises": [], "tasks": {"a": 3}}, []),
        ({"surprises": [], "tasks": {}}, ["b"]),
    ],
)
def test_each_of_the_hostile_accounts_items_ends(told: dict[str, object], unanswered: list[str]) -> None:
    assert sum(each.count for each in neighbours.hostile(told, unanswered)) == 1
    assert not sum(each.count for each in neighbours.hostile({"surprises": [], "tasks": {}}, []))


def mail(launch: str, *moments: float) -> list[Mail]:
    return [Mail(launch, moment, "") for moment in moments]


def told(differences: list[Difference]) -> list[int]:
    return [each.count for each in differences]


def test_a_mail_comes_again_only_after_a_fault_that_explains_it() -> None:
    again = mail("a", 100, 110)

    assert told(repeats(again, Chronicle())) == [1]
    assert told(repeats(again, Chronicle(strikes=[Strike("kill -9 a launcher", 98, 99)]))) == []
    assert told(repeats(again, Chronicle(strikes=[Strike("kill -9 a launcher", 10, 20)]))) == [1]
    assert told(repeats(again, Chronicle(strikes=[Strike("kill -9 a gateway", 98, 99)]))) == [1]


def test_a_mail_may_come_as_often_as_its_server_breaks_off() -> None:
    assert told(repeats(mail("a", 100, 110, 120), Chronicle(), allowed=3)) == []
    assert told(repeats(mail("a", 100, 110, 120, 130), Chronicle(), allowed=3)) == [1]


def test_a_fault_explains_no_more_repeats_than_a_launcher_has_in_the_air() -> None:
    many = [each for number in range(REPEATS + 5) for each in mail(str(number), 100, 110)]

    assert told(repeats(many, Chronicle(strikes=[Strike("kill -9 a launcher", 98, 99)]))) == [5]


def test_a_launch_waits_until_its_first_mail() -> None:
    assert waits({"a": 5, "b": 6}, mail("a", 9, 7)) == [Span(5, 7), Span(6, math.inf)]


LOG = [
    "matcher-1 was killed by SIGKILL; it is started again in 0.5 s. Its log: x",
    "launcher-2 ended with code 0: {}; it is started again in 0.5 s. Its log: x",
    "kafka ended with code 143: ; it is started again in 0.5 s. Its log: x",
    "gateway-1 ended with code 1: profuse: gateway stops: x; do Kafka at a and Postgres at b answer?; it is started again in 1 s.",
    "mail-sink was killed by SIGKILL; it is started again in 0.5 s. Its log: x",
    "Ready: http://127.0.0.1:1",
]
SENT = Counter({("matcher", "SIGKILL"): 1, ("launcher", "SIGTERM"): 1, ("kafka", "SIGTERM"): 1, ("mail-sink", "SIGKILL"): 1})


def test_an_end_is_explained_by_a_signal_or_by_a_server_that_was_away() -> None:
    assert unexplained(ends(LOG), SENT) == []


@pytest.mark.promise("P-OPS-50")
@pytest.mark.parametrize(
    "line",
    [
        "matcher-2 was killed by SIGKILL; it is started again in 0.5 s. Its log: x",
        "matcher-2 ended with code 1: profuse: matcher stops: Stuck; it is started again in 0.5 s. Its log: x",
        "launcher-1 ended with code 1: Traceback; it is started again in 0.5 s. Its log: x",
        "launcher-1 was killed by SIGSEGV; it is started again in 0.5 s. Its log: x",
        "postgres ended with code 1: ; it is started again in 0.5 s. Its log: x",
    ],
)
def test_any_other_end_is_wrong(line: str) -> None:
    assert [(each.kind, each.count) for each in unexplained(ends([*LOG, line]), SENT)] == [("wrong", 1)]


def test_whoever_is_frozen_does_not_end_by_it() -> None:
    frozen = Counter({("matcher", "SIGSTOP"): 1, ("matcher", "SIGCONT"): 1})

    assert told(unexplained(ends(LOG[:1]), frozen)) == [1]
