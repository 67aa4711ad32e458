"""What `profuse top` shows."""

import io
from collections.abc import Mapping

import pytest
from rich.console import Console

from profuse.exposition import parsed
from profuse.stack import wanted
from profuse.top.frame import frame
from profuse.top.rooms import SHOWN
from profuse.top.rows import Row, rows, told
from profuse.top.samples import Look, Process

BEFORE = {
    "gateway": 'profuse_requests_total{path="start",status="200"} 10\nprofuse_requests_total{path="start",status="429"} 3',
    "matcher": 'profuse_messages_total{topic="profuse.imports"} 1000\nprofuse_dead_letters_total{topic="profuse.imports"} 2',
    "launcher": "",
    "hooks": "",
}
NOW = {
    "gateway": """
profuse_requests_total{path="start",status="200"} 30
profuse_requests_total{path="start",status="429"} 3
profuse_in_flight 1500
profuse_drain_rate 1000
process_cpu_seconds_total 1.0
process_resident_memory_bytes 104857600
""",
    "matcher": """
profuse_messages_total{topic="profuse.imports"} 3000
profuse_lag{topic="profuse.imports"} 1234
profuse_dead_letters_total{topic="profuse.imports"} 3
""",
    "launcher": """
profuse_launch_overdue_seconds 4.25
profuse_destinations_held 2
profuse_launch_lateness_seconds_bucket{le="3600.0"} 1
profuse_launch_lateness_seconds_bucket{le="+Inf"} 9
profuse_launches_total{ending="fail"} 7
profuse_launches_total{ending="send"} 13
""",
    "hooks": 'profuse_hook_behind{account="1",hook="crm"} 40\nprofuse_hook_events_total 10',
}


def look(at: float, pages: Mapping[str, str | None], problems: tuple[str, ...] = ()) -> Look:
    return Look(
        at,
        [Process(f"{room}-1", room, None if page is None else parsed(f"{page.strip()}\n"), problems) for room, page in pages.items()],
    )


def shown(pages: Mapping[str, str | None], before: Mapping[str, str | None] | None = None) -> dict[str, Row]:
    return {row.room: row for row in rows(look(0.0, BEFORE if before is None else before), look(2.0, pages))}


def text(*rows: Row, lines: tuple[str, ...] = ()) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(frame(rows, lines, "12:00:00"))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.promise("P-WATCH-05")
def test_each_room_says_what_it_does_what_waits_and_what_is_late() -> None:
    seen = shown(NOW)

    assert list(seen) == list(SHOWN)
    assert [row.rate for row in seen.values()] == ["10.0 requests/s", "1,000.0 profiles/s", "10.0 launches/s", "5.0 events/s"]
    assert [row.waiting for row in seen.values()] == ["1,500 profiles, 1.5 s", "1,234 messages", "0 messages", "40 records"]
    assert seen["launcher"].late == "overdue 4.2 s, late p99 off the scale"
    assert (seen["gateway"].cores, seen["gateway"].memory) == ("0.50", "100 MiB")


@pytest.mark.promise("P-WATCH-05")
def test_troubles_are_told_in_all_and_whether_they_are_new() -> None:
    seen = shown(NOW)

    assert (seen["gateway"].troubles, seen["gateway"].news) == (["3 answered 429"], [])
    assert (seen["matcher"].troubles, seen["matcher"].news) == (["3 dead letters"], ["3 dead letters"])
    assert seen["launcher"].troubles == seen["launcher"].news == ["7 failed", "2 held"]


def test_what_is_held_as_before_is_still_news() -> None:
    (row,) = shown({"launcher": "profuse_destinations_held 2"}, {"launcher": "profuse_destinations_held 2"}).values()

    assert row.news == ["2 held"]


@pytest.mark.promise("P-WATCH-05")
def test_a_process_that_does_not_answer_or_is_not_ready_is_told_with_its_reason() -> None:
    silent, troubled = look(2.0, {"matcher": None}), look(2.0, {"launcher": ""}, ("Kafka does not answer [TimeoutError]",))
    together = Look(2.0, [*silent.processes, *troubled.processes])

    assert [row.processes for row in rows(look(0.0, {}), together)] == ["0/1", "0/1"]
    assert told(together) == ["matcher-1 does not answer", "launcher-1: Kafka does not answer [TimeoutError]"]


def test_the_backlog_of_matchers_that_are_gone_is_no_astronomical_number() -> None:
    page = "profuse_in_flight 200\nprofuse_drain_rate 1.2e-29"

    assert shown({"gateway": page})["gateway"].waiting == "200 profiles, 200.0 s"
    assert shown({"gateway": "profuse_in_flight 0\nprofuse_drain_rate 1.2e-29"})["gateway"].waiting == "0 profiles"


def test_a_room_without_a_process_is_not_shown() -> None:
    assert list(shown({"matcher": NOW["matcher"]})) == ["matcher"]


def test_every_room_of_a_stack_is_shown() -> None:
    # A console moves nothing.
    assert list(SHOWN) == [room for room in wanted.ROOMS if room != "console"]


@pytest.mark.promise("P-WATCH-05")
def test_a_frame_has_a_line_for_each_room_and_what_processes_say_as_they_say_it() -> None:
    lines = text(*shown(NOW).values(), lines=("launcher-1: Kafka does not answer [TimeoutError]",)).splitlines()

    assert [line.split()[0] for line in lines] == ["profuse", "room", *SHOWN, "launcher-1:"]
    assert "[TimeoutError]" in lines[-1]
    assert "7 failed, 2 held" in lines[4]
