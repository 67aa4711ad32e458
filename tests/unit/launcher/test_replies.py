"""Whom a mail server's refusal is about, and how long a launch is tried."""

import re
from datetime import timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.launcher.channels.channel import SERVER, Deferred, Rejected, Unavailable
from workers.launcher.channels.email.replies import Stage, readable, refusal
from workers.launcher.deliver.retries import Patience

SENDER = "shop@example.com"
_OF_ALL = [
    (Stage.RECIPIENT, 530, "5.7.0 log in"),
    (Stage.CONTENT, 535, "no"),
    (Stage.RECIPIENT, 454, "4.7.0 Throttling failure"),
    (Stage.CONTENT, 550, "5.4.5 Daily user sending limit exceeded"),
    (Stage.RECIPIENT, 452, "4.3.1 Insufficient system storage"),
]


@pytest.mark.promise("P-LAUNCH-30")
@pytest.mark.parametrize(("stage", "code", "words"), _OF_ALL)
def test_a_log_in_a_quota_or_a_full_server_is_no_launchs_fault(stage: Stage, code: int, words: str) -> None:
    told = refusal(stage, code, words, SENDER)

    assert isinstance(told, Unavailable)
    assert told.place == SERVER


@pytest.mark.promise("P-LAUNCH-30")
@pytest.mark.parametrize("code", [450, 501, 550, 553])
def test_a_sender_that_is_refused_holds_his_mails_and_no_others(code: int) -> None:
    told = refusal(Stage.SENDER, code, "no", SENDER)

    assert isinstance(told, Unavailable)
    assert told.place == f"from {SENDER}"


@pytest.mark.promise("P-LAUNCH-30")
@pytest.mark.parametrize("stage", list(Stage))
def test_a_box_that_is_full_is_the_recipients_wherever_it_is_said(stage: Stage) -> None:
    told = refusal(stage, 552, "5.2.2 mailbox full", SENDER)

    assert isinstance(told, Rejected)
    # It says nothing of the server, however many have it in common.
    assert told.code is None
    # But that it answers.
    assert told.answered


@pytest.mark.promise("P-LAUNCH-14")
def test_words_that_are_not_utf_8_are_readable() -> None:
    words = b"5.1.1 acc\xe8s refus\xe9".decode("utf-8", "surrogateescape")

    assert str(refusal(Stage.RECIPIENT, 550, words, SENDER)) == "550 5.1.1 accès refusé"


@pytest.mark.promise("P-LAUNCH-27")
def test_a_refusal_for_now_is_for_later_and_quotes_nobody() -> None:
    told = refusal(Stage.RECIPIENT, 450, "ann@example.com is busy", SENDER)

    assert isinstance(told, Deferred)
    assert str(told) == "SMTP 450"


@pytest.mark.promise("P-LAUNCH-27")
def test_rests_grow_and_add_up_to_a_day() -> None:
    patience = Patience(timedelta(hours=24), timedelta(days=7))
    rests: list[timedelta] = []
    while (rest := patience.rest(len(rests))) is not None:
        rests.append(rest)

    assert rests[:4] == [timedelta(seconds=seconds) for seconds in (5, 10, 20, 40)]
    assert max(rests) == timedelta(hours=1)
    assert sum(rests, timedelta()) == timedelta(hours=24)


@pytest.mark.promise("P-LAUNCH-27")
@pytest.mark.parametrize("hours", [0.5, 1, 1.4, 6, 30])
def test_rests_that_were_asked_for_add_up_to_a_day_too(hours: float) -> None:
    patience, asked, rested, attempt, dice = Patience(timedelta(hours=24), timedelta(days=7)), timedelta(hours=hours), timedelta(), 0, 0.0
    while (rest := patience.rest(attempt)) is not None:
        given = min(asked, patience.left(attempt))
        rested += max(rest, given)
        # As dice fall in the mean.
        dice = (dice + 0.618) % 1
        attempt += patience.counts(attempt, given, dice)

    assert timedelta(hours=22) <= rested <= timedelta(hours=26)


@pytest.mark.promise("P-OPS-16")
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("5.1.1 <Ann.O'Hara@shop.test>: no such user", "550 5.1.1 <…>: no such user"),
        ('"ann b"@shop.test is full', "550 … is full"),
        ("neither ann+news@xn--80ak6aa92e.test nor юля@пример.рф", "550 neither … nor …"),
    ],
)
def test_words_quote_no_address(said: str, kept: str) -> None:
    assert str(refusal(Stage.RECIPIENT, 550, said, SENDER)) == kept


@pytest.mark.promise("P-LAUNCH-46")
@pytest.mark.parametrize("piece", ["a", ".", '"', '"a', "a@", "@", "a ", '" ', "é"])
def test_long_words_are_read_in_no_time(piece: str) -> None:
    words = "\n".join([(piece * 8_000)[:8_000]] * 4)
    begun = process_time()
    refusal(Stage.RECIPIENT, 550, words, SENDER)

    assert process_time() - begun < 0.25


@pytest.mark.promise("P-OPS-16")
@given(st.lists(st.sampled_from(["a", "b@", "@", '"', " ", "<", ">", "."]), max_size=12).map("".join))
def test_an_address_is_found_wherever_it_stands(words: str) -> None:
    assert readable(words) == re.sub(r"""("[^"]*"|[^\s<>"(),;:]+)@[^\s<>"(),;:]+""", "…", words).strip()
