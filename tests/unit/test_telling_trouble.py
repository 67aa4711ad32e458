"""What is waited for, and what is told as a fault of ours."""

import asyncpg
import pytest
from structlog.testing import capture_logs

from runtime.kafka import BrokerUnavailable
from runtime.retrying import tell, until_it_is_back
from runtime.trouble import passes_by_itself

WAITED_FOR = {"53100": True, "53300": True, "57P03": True, "08006": True, "28P01": False, "3D000": False, "42P01": False, "23505": False}


def said(state: str, text: str = "no") -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": state, "M": text})


@pytest.mark.promise("P-OPS-15")
@pytest.mark.parametrize(("state", "waited"), WAITED_FOR.items())
def test_who_starts_waits_for_what_passes_by_itself(state: str, waited: bool) -> None:
    assert passes_by_itself(said(state)) is waited


@pytest.mark.promise("P-OPS-15")
def test_who_starts_waits_for_a_server_that_says_nothing() -> None:
    assert passes_by_itself(ConnectionRefusedError())


@pytest.mark.promise("P-OPS-26")
@pytest.mark.parametrize(
    ("error", "level"), [(said("57P03"), "warning"), (BrokerUnavailable(), "warning"), (said("42703"), "error"), (said("23505"), "error")]
)
def test_a_statement_that_is_wrong_is_told_as_no_outage(error: Exception, level: str) -> None:
    with capture_logs() as logs:
        tell("poll_failed", error)

    assert [entry["log_level"] for entry in logs] == [level]
    assert ("todo" in logs[0]) == (level == "warning")


@pytest.mark.promise("P-OPS-26")
def test_what_postgres_says_of_data_is_not_logged() -> None:
    with capture_logs() as logs:
        tell("poll_failed", said("23505", "Key (value)=(ann@example.com) already exists."))

    assert logs[0]["exc_info"] is None
    assert "ann@" not in str(logs)


@pytest.mark.promise("P-OPS-26")
async def test_a_statement_that_is_wrong_is_not_tried_again() -> None:
    answers = [said("57P03"), said("42703"), said("57P03")]

    async def answered() -> None:
        async for attempt in until_it_is_back("publishing_not_noted", 0.0, batch="ab"):
            with attempt:
                raise answers.pop(0)

    with capture_logs() as logs, pytest.raises(asyncpg.UndefinedColumnError):
        await answered()

    assert len(answers) == 1
    assert [(entry["event"], entry["batch"]) for entry in logs] == [("publishing_not_noted", "ab")]
