"""What an answer means, and when it is tried again."""

import time

import pytest

from runtime.outbound.posting import Answer
from schemas.success import LOOKED_AT, checked, success_of
from workers.hooks.retries import LONGEST, Again, Gone, Taken, judged, left, pause


@pytest.mark.promise("P-HOOK-07")
@pytest.mark.parametrize(("answer", "success", "verdict"), [
    (Answer(200, b""), "", Taken),
    (Answer(299, b""), "", Taken),
    (Answer(200, b'{"ok":true}'), '"ok": *true', Taken),
    (Answer(200, b"\xffok"), "ok", Taken),
    (Answer(200, b'{"ok":false}'), '"ok": *true', Again),
    (Answer(200, b""), ".", Again),
    (Answer(500, b'{"ok":true}'), '"ok": *true', Again),
    (Answer(301, b""), "", Again),
    (Answer(404, b""), "", Again),
    (Answer(429, b"", 7.0), "", Again),
    (Answer(410, b""), "", Gone),
])  # fmt: skip
def test_a_batch_is_taken_by_a_good_answer_alone(answer: Answer, success: str, verdict: type[object]) -> None:
    judgement = judged(answer, success)

    assert type(judgement) is verdict
    assert not isinstance(judgement, Again) or judgement.after == answer.retry_after


@pytest.mark.promise("P-HOOK-07")
def test_pauses_grow_up_to_five_minutes_and_differ() -> None:
    longest = [pause(attempts, None, 1.0) for attempts in (1, 2, 3, 9, 10, 1_000_000)]

    assert longest == [1, 2, 4, 256, LONGEST, LONGEST]
    assert pause(3, None, 0.0) == 2


@pytest.mark.promise("P-HOOK-07")
def test_retry_after_makes_a_pause_longer_and_never_shorter() -> None:
    assert pause(1, 600.0, 1.0) == 600
    assert pause(5, 1.0, 1.0) == 16
    assert pause(1, 86_400.0, 1.0) == 3_600


@pytest.mark.promise("P-HOOK-07")
def test_who_takes_over_waits_for_what_is_left_of_a_pause() -> None:
    assert left(5, 6.0, 1.0) == 10
    assert left(5, 17.0, 1.0) == 0
    assert left(0, 0.0, 1.0) == 0


@pytest.mark.promise("P-HOOK-14")
@pytest.mark.parametrize("pattern", [
    "(a+)+$", "(x+x+)+y", "([ab]*)*c", "(.*)*(.*)*(.*)*(.*)*$", r"(\w|\d|.)*X", "(.*.*.*.*){30}X", r"((a?){5}){5}X", ".*" * 400 + "X"
])  # fmt: skip
def test_no_pattern_is_matched_for_long(pattern: str) -> None:
    success = success_of(pattern)
    began = time.process_time()
    for text in ("a", "ab", "aé€"):
        success.matches(text.encode() * 65_536)

    assert time.process_time() - began < 1


@pytest.mark.promise("P-HOOK-14")
@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", r"\w{1000}", "(?x) a # \n )("])
def test_what_cannot_be_matched_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="is no regular expression"):
        success_of(pattern)


_LARGE = {
    "empty repeats": r"(\w|)*" * 160 + "!",
    "nested repeats": r"((\w{3}){3})!",
    "blanks in counts": r"(?x)(?: \w {4} ) {4} ! # to the end",
    "classes": r"\pL*\W*" * 10 + "!",
    "counts": "(.{1,300}){30}X",
    "letters of either case": "(?i)(?:kß){1500}",
    "long": "a" * 1_001,
}


@pytest.mark.promise("P-HOOK-14")
@pytest.mark.parametrize("pattern", _LARGE.values(), ids=_LARGE)
def test_what_takes_long_is_refused_where_it_is_new_and_looks_at_little_where_it_is_stored(pattern: str) -> None:
    with pytest.raises(ValueError, match="is too large"):
        checked(pattern)

    stored = success_of(f"(?:{pattern}\n)|ok")
    assert stored.matches(b"ok")
    assert not stored.matches(b"-" * 1_000 + b"ok")


@pytest.mark.promise("P-HOOK-14")
@pytest.mark.parametrize(
    "pattern", ["", r'"ok":\s*true', r"\w+-\w+-\w+-\w+-\w+", r'(?i)^\s*\{.*"status"\s*:\s*"(ok|done)"', r"\d{20}", "(?x) ok # it is"]
)
def test_what_people_write_is_taken(pattern: str) -> None:
    assert checked(pattern) == pattern


@pytest.mark.promise("P-HOOK-14")
def test_the_beginning_of_a_body_is_looked_at() -> None:
    assert success_of("ok").matches(b"x" * (LOOKED_AT - 2) + b"ok")
    assert not success_of("ok").matches(b"x" * (LOOKED_AT - 1) + b"ok")
